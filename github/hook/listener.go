package hook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/internal/httpserve"
)

// MaxBody is the length in bytes of the largest delivery that is read, the
// largest that GitHub sends (GH-181).
const MaxBody = 25 << 20

const (
	deliveryTime = 30 * time.Second // for a request to arrive
	idleTime     = 2 * time.Minute
	maxHeader    = 32 << 10 // bytes
	largeBody    = 1 << 20  // bytes; each body may have these
	maxLarge     = 100      // so many times more are read at once, of all bodies
	largeWait    = 5 * time.Second
)

// An answer is how a delivery is answered: 204 unless something is wrong.
type answer struct {
	result string
	status int
	text   string
}

var (
	accepted  = answer{"accepted", http.StatusNoContent, ""}
	ignored   = answer{"other", http.StatusNoContent, ""}
	pinged    = answer{"ping", http.StatusNoContent, ""}
	duplicate = answer{"duplicate", http.StatusNoContent, ""}

	badMethod    = answer{"method", http.StatusMethodNotAllowed, "webhooks are delivered with POST"}
	unwatched    = answer{"repository", http.StatusNotFound, "this repository is not watched"}
	badType      = answer{"type", http.StatusUnsupportedMediaType, "the content type must be application/json"}
	tooLarge     = answer{"size", http.StatusRequestEntityTooLarge, "the body is larger than 25 MiB"}
	unread       = answer{"body", http.StatusBadRequest, "the body could not be read"}
	tooMany      = answer{"busy", http.StatusServiceUnavailable, "too many large deliveries at once"}
	badSignature = answer{"signature", http.StatusForbidden, "the signature is missing or wrong"}
	badJSON      = answer{"json", http.StatusBadRequest, "the body is not the JSON of a webhook"}
)

// Results returns all that Options.OnDelivery can be told.
func Results() (all []string) {
	for _, a := range []answer{
		accepted, ignored, pinged, duplicate,
		badMethod, unwatched, badType, tooLarge, unread, tooMany, badSignature, badJSON,
	} {
		all = append(all, a.result)
	}
	return all
}

// Serve receives the deliveries that arrive at l until ctx is done, which is
// no error, or l fails. When it returns, l and all connections are closed.
func (s *Source) Serve(ctx context.Context, l net.Listener) error {
	return httpserve.Serve(ctx, l, &http.Server{
		Handler:        s,
		ReadTimeout:    deliveryTime,
		IdleTimeout:    idleTime,
		MaxHeaderBytes: maxHeader,
	})
}

// ServeHTTP answers one delivery (GH-181). What it means is queued.
func (s *Source) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	a := s.receive(w, req)
	if s.opts.OnDelivery != nil {
		s.opts.OnDelivery(a.result)
	}
	s.opts.Log.Debug("webhook delivery", "result", a.result, "path", req.URL.Path,
		"event", req.Header.Get("X-GitHub-Event"), "delivery", req.Header.Get("X-GitHub-Delivery"))
	if a.status == http.StatusNoContent {
		w.WriteHeader(a.status)
		return
	}
	if a.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	http.Error(w, a.text, a.status)
}

func (s *Source) receive(w http.ResponseWriter, req *http.Request) answer {
	if req.Method != http.MethodPost {
		return badMethod
	}
	r, ok := s.repoOf(req.URL.Path)
	if !ok || !s.accepts(r) {
		return unwatched
	}
	if t, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type")); t != "application/json" {
		return badType
	}
	signature, ok := parseSignature(req.Header.Get("X-Hub-Signature-256"))
	if !ok { // whoever sent it cannot keep us reading
		return badSignature
	}
	body, a := s.read(w, req)
	if a != accepted {
		return a
	}
	// Nothing looks into the body before this (GH-180).
	if !s.signed(body, signature) {
		return badSignature
	}
	return s.take(r, req.Header.Get("X-GitHub-Event"), req.Header.Get("X-GitHub-Delivery"), body)
}

// repoOf returns the repository whose webhook has the path. A proxy may have
// taken the path of our URL away, which the owner of the repository may be
// called as well.
func (s *Source) repoOf(path string) (r github.Repo, ok bool) {
	if rest, ok := strings.CutPrefix(path, s.url.Path+"/"); ok {
		if r, err := github.ParseRepo(rest); err == nil {
			return r, true
		}
	}
	r, err := github.ParseRepo(strings.TrimPrefix(path, "/"))
	return r, err == nil
}

// read returns the body, and accepted, or why there is none. What has arrived
// of large bodies is bounded in all, so that a sender who is slow, and may be
// anybody as yet, takes no more than he has sent.
func (s *Source) read(w http.ResponseWriter, req *http.Request) ([]byte, answer) {
	if req.ContentLength > MaxBody {
		return nil, tooLarge
	}
	end := time.Now().Add(deliveryTime)
	from := http.MaxBytesReader(w, req.Body, MaxBody)
	var body bytes.Buffer
	for {
		_, err := io.CopyN(&body, from, largeBody)
		var over *http.MaxBytesError
		switch {
		case err == io.EOF:
			return body.Bytes(), accepted
		case errors.As(err, &over):
			return nil, tooLarge
		case err != nil:
			return nil, unread
		}
		waited, ok := s.more()
		if !ok {
			return nil, tooMany
		}
		defer func() { <-s.large }()
		if waited > 0 {
			// That is not for the sender to pay. A server without deadlines
			// needs no more time.
			end = end.Add(waited)
			_ = http.NewResponseController(w).SetReadDeadline(end)
		}
	}
}

// more waits until another part of a large body may be read, and returns how
// long that took.
func (s *Source) more() (waited time.Duration, ok bool) {
	select {
	case s.large <- struct{}{}:
		return 0, true
	default:
	}
	start := time.Now()
	select {
	case s.large <- struct{}{}:
		return time.Since(start), true
	case <-time.After(s.largeWait):
	case <-s.ctx.Done():
	}
	return 0, false
}

// parseSignature reads the header of a signature: "sha256=" and as many
// hexadecimal digits as it takes.
func parseSignature(header string) (signature []byte, ok bool) {
	digits, ok := strings.CutPrefix(header, "sha256=")
	signature, err := hex.DecodeString(digits)
	return signature, ok && err == nil && len(signature) == sha256.Size
}

// signed reports whether the signature is GitHub's of the body, taking the
// same time for every wrong one.
func (s *Source) signed(body, signature []byte) bool {
	mac := hmac.New(sha256.New, []byte(s.opts.Secret.Reveal()))
	mac.Write(body)
	return hmac.Equal(signature, mac.Sum(nil))
}

// take queues what a delivery that GitHub has signed means.
func (s *Source) take(r github.Repo, name, delivery string, body []byte) answer {
	s.heard(r)
	ev, err := Parse(r, name, body)
	if err != nil {
		s.opts.Log.Warn("a webhook delivery that cannot be understood", "repository", r, "error", err)
		return badJSON
	}
	if !s.fresh(delivery) {
		return duplicate
	}
	switch ev := ev.(type) {
	case nil:
		return pinged
	case github.OtherEvent:
		s.report(r, name, ev.Label)
		return ignored
	}
	if s.add(ev, time.Now()) {
		s.opts.Log.Warn("too many webhook events wait: those of a repository are dropped, and it will be read as a whole instead", "repository", r)
	}
	return accepted
}

// fresh reports whether a delivery was not among the last ones (GH-182). One
// without a number always is.
func (s *Source) fresh(delivery string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return delivery == "" || s.deliveries.add(delivery)
}

// report logs an event that has no effect: if it should have had one, as a
// warning, once.
func (s *Source) report(r github.Repo, name, label string) {
	s.mu.Lock()
	first := label != name && s.reports.add(r.String()+" "+label)
	s.mu.Unlock()
	if first {
		s.opts.Log.Warn("webhook event without effect", "repository", r, "event", label)
		return
	}
	s.opts.Log.Debug("webhook event without effect", "repository", r, "event", label)
}
