package httpserve

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestServeFinishes: a request that is being answered gets its answer, and one
// that does not end is cut.
func TestServeFinishes(t *testing.T) {
	t.Parallel()
	for name, forever := range map[string]bool{"quick": false, "forever": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				stop()
				if forever {
					<-r.Context().Done()
				}
				io.WriteString(w, "done")
			})}
			l := listen(t)
			served := make(chan error, 1)
			go func() { served <- Serve(ctx, l, s) }()
			client := &http.Client{Transport: new(http.Transport)}
			defer client.CloseIdleConnections()
			resp, err := client.Get("http://" + l.Addr().String())
			if (err != nil) != forever {
				t.Errorf("the request ends with %v", err)
			}
			if err == nil {
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if string(body) != "done" || err != nil {
					t.Errorf("the answer is %q, error %v", body, err)
				}
			}
			if err := <-served; err != nil {
				t.Errorf("Serve = %v", err)
			}
		})
	}
}

func TestServeReturnsTheErrorOfItsListener(t *testing.T) {
	t.Parallel()
	l := listen(t)
	l.Close()
	if err := Serve(t.Context(), l, new(http.Server)); err == nil {
		t.Error("Serve on a closed listener succeeded")
	}
}
