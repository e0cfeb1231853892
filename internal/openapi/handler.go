package openapi

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/datakit/datakit/internal/npmfile"
)

// GitHub returns GitHub's published description, or skips the test if it cannot
// be had.
func GitHub(t testing.TB) *Doc {
	t.Helper()
	gitHub.Lock()
	defer gitHub.Unlock()
	if gitHub.doc == nil {
		doc, err := Parse(npmfile.Read(t, "@octokit/openapi", "23.0.2", "generated/api.github.com.json"))
		if err != nil {
			t.Fatal(err)
		}
		gitHub.doc = doc
	}
	return gitHub.doc
}

// gitHub is the description, which is large, once for all tests of a program.
var gitHub struct {
	sync.Mutex
	doc *Doc
}

// Handler returns a handler that lets next answer, and fails the test for each
// request or answer that the description does not allow.
func (d *Doc) Handler(t testing.TB, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
		c := &copier{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(c, r)
		if err := d.Check(r.Method, r.URL.Path, bytes.TrimSpace(sent), c.status, c.body.Bytes()); err != nil {
			t.Error(err)
		}
	})
}

// A copier keeps what is written.
type copier struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (c *copier) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *copier) Write(p []byte) (int, error) {
	c.body.Write(p)
	return c.ResponseWriter.Write(p)
}
