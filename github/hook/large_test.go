package hook

import (
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// largeStatus is a delivery that is larger than what each may have.
var largeStatus = statusBody + strings.Repeat(" ", largeBody)

// full returns a Source that reads as much of large deliveries as it can.
func full(t *testing.T, wait time.Duration) *Source {
	t.Helper()
	s := watching(t, Options{})
	s.largeWait = wait
	for range maxLarge {
		s.large <- struct{}{}
	}
	return s
}

// TestGH180_UnsignedTakesNoTurn: what cannot be GitHub's is refused before
// anything is read of it, however many are being read.
func TestGH180_UnsignedTakesNoTurn(t *testing.T) {
	t.Parallel()
	s := full(t, time.Hour)
	for _, signature := range []string{"", "sha256=", "sha256=00", "sha1=" + strings.Repeat("0", 64), strings.Repeat("0", 64)} {
		for _, length := range []int64{-1, largeBody + 1} {
			req := request(ourPath, "status", "1", "", "")
			body := new(endless)
			req.Body, req.ContentLength = io.NopCloser(body), length
			req.Header.Set("X-Hub-Signature-256", signature)
			if w := answerTo(s, req); w.Code != 403 || body.n != 0 {
				t.Errorf("with the signature %q it is answered with %d, and %d bytes are read", signature, w.Code, body.n)
			}
		}
	}
}

// TestGH181_LargeDeliveriesWaitBriefly: those that come in vain are told so.
func TestGH181_LargeDeliveriesWaitBriefly(t *testing.T) {
	t.Parallel()
	if s := watching(t, Options{}); s.largeWait != 5*time.Second {
		t.Errorf("they wait %v", s.largeWait)
	}
	s := full(t, time.Millisecond)
	for _, length := range []int64{-1, int64(len(largeStatus))} {
		req := request(ourPath, "status", "1", largeStatus, testSecret.Reveal())
		req.ContentLength = length
		if w := answerTo(s, req); w.Code != 503 {
			t.Errorf("a delivery of the length %d is answered with %d, want 503", length, w.Code)
		}
	}
	if got := deliver(s, ourPath, "status", "1", statusBody, testSecret.Reveal()); got != 204 {
		t.Errorf("a small one is answered with %d", got)
	}
}

// A deadliner notes the deadline for reading.
type deadliner struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (d *deadliner) SetReadDeadline(at time.Time) error {
	d.deadline = at
	return nil
}

// TestGH181_WaitingTakesNoTime: a delivery that had to wait has as long to
// arrive as another.
func TestGH181_WaitingTakesNoTime(t *testing.T) {
	t.Parallel()
	s := full(t, patience)
	for delay := 20 * time.Millisecond; ; delay *= 2 {
		req := request(ourPath, "status", "", largeStatus, testSecret.Reveal())
		req.ContentLength = -1
		before := time.Now()
		timer := time.AfterFunc(delay, func() { <-s.large })
		w := &deadliner{ResponseRecorder: httptest.NewRecorder()}
		s.ServeHTTP(w, req)
		timer.Stop()
		if w.Code != 204 {
			t.Fatalf("answered with %d", w.Code)
		}
		if w.deadline.IsZero() { // the machine was busy, and it did not wait
			s.large <- struct{}{}
			continue
		}
		if w.deadline.Sub(before) <= deliveryTime {
			t.Errorf("it has %v to arrive", w.deadline.Sub(before))
		}
		return
	}
}

// TestGH180_SlowForgeriesHoldUpNothing has many senders, whose signatures are
// wrong, not go on after what they have sent.
func TestGH180_SlowForgeriesHoldUpNothing(t *testing.T) {
	t.Parallel()
	s := watching(t, Options{})
	s.largeWait = 0
	var slow sync.WaitGroup
	defer slow.Wait()
	for i := range 2 * maxLarge {
		body, sender := io.Pipe()
		req := request(ourPath, "status", "", "", "wrong")
		req.Body, req.ContentLength = body, MaxBody
		slow.Go(func() { answerTo(s, req) })
		defer sender.Close()
		sent := "{"
		if i < 10 {
			sent = largeStatus
		}
		if _, err := io.WriteString(sender, sent); err != nil { // returns when it was read
			t.Fatal(err)
		}
	}
	body := statusBody + strings.Repeat(" ", MaxBody-len(statusBody))
	if got := deliver(s, ourPath, "status", "1", body, testSecret.Reveal()); got != 204 {
		t.Errorf("a large delivery is answered with %d, want 204", got)
	}
}
