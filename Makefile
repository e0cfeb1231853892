# Targets for people; .ci/run is what must pass before a change lands.

# make run serves this repository (made when missing) at this address.
REPO   ?= data
LISTEN ?= tcp://127.0.0.1:5640

GO          ?= go
TESTFLAGS   ?=
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: all build run test deps bench soak conformance lint clean

all: build

build:
	$(GO) build -o bin/ ./cmd/...

run: build
	bin/datakit serve --git '$(REPO)' --listen-9p '$(LISTEN)'

# test runs everything under the race detector, after installing what is missing.
test: deps
	$(GO) test -race -timeout 12m $(TESTFLAGS) ./...

deps:
	@tests/deps.sh

# bench measures the promised figures beside their alternatives, on this disk.
bench:
	$(GO) run ./bench $(ARGS)

# soak repeats the tests of the hard days until something breaks or the hour is over.
soak:
	SOAK=$${SOAK:-1h} $(GO) test -race -count=1 -v -timeout 0 ./tests/kill ./tests/gitwork

conformance:
	$(GO) run ./internal/conformance

lint:
	@test -z "$$(gofmt -l .)" || { echo 'gofmt these:'; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

clean:
	rm -rf bin
