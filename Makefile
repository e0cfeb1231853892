# Targets for people; .ci/run is what must pass before a change lands.

# make run serves this repository (made when missing) at this address.
REPO   ?= data
LISTEN ?= tcp://127.0.0.1:5640

# What make soak runs, as far as it is there, and how long a package may take.
HARDDAYS  := tests/kill tests/gitwork tests/fsx tests/process p9db github/bridge
SOAKLIMIT ?= 12h

GO          ?= go
TESTFLAGS   ?=
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: all build run test deps bench soak conformance lint clean

all: build

build:
	$(GO) build -o bin/ ./cmd/...

run: build
	bin/datakit serve --git '$(REPO)' --listen-9p '$(LISTEN)'

# test runs everything under the race detector, after installing what is
# missing. A package that hangs fails, and shows where.
test: deps
	$(GO) test -race -p 2 -timeout 12m $(TESTFLAGS) ./...

deps:
	@tests/deps.sh

# bench measures the promised figures beside their alternatives, on this disk.
bench:
	$(GO) run ./bench $(ARGS)

# soak repeats the tests of the hard days until something breaks or the hour is
# over. SOAK is the time of each package; none takes longer than SOAKLIMIT.
soak:
	SOAK=$${SOAK:-1h} $(GO) test -race -count=1 -v -p 2 -timeout $(SOAKLIMIT) \
	    $(patsubst %/,./%,$(wildcard $(addsuffix /,$(HARDDAYS))))

conformance:
	$(GO) run ./internal/conformance

lint:
	@test -z "$$(gofmt -l .)" || { echo 'gofmt these:'; gofmt -l .; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

clean:
	rm -rf bin
