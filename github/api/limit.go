package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	gogithub "github.com/google/go-github/v93/github"
)

const (
	secondaryWait = time.Minute // where GitHub does not say how long, doubling
	maxWait       = time.Hour   // GitHub's limits end within that; a wrong clock may say more
)

// limits knows until when GitHub allows no request (GH-167).
type limits struct {
	remaining atomic.Int64 // requests that are left; -1 if that is not known

	mu      sync.Mutex // guards what follows
	until   time.Time
	strikes int // secondary limits in a row for which GitHub did not say how long
}

// closed returns until when no request is allowed; ok is false if one is.
func (l *limits) closed(now time.Time) (until time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until, now.Before(l.until)
}

// note learns from an answer, whose error, if it is one, is err. It returns
// when the next request is allowed if the answer was that a limit is reached.
func (l *limits) note(now time.Time, resp *http.Response, err error) (retryAt time.Time) {
	primary := l.primary(now, resp)
	status := resp.StatusCode
	refused := status == http.StatusForbidden || status == http.StatusTooManyRequests
	after := retryAfter(resp.Header)
	var secondary *gogithub.AbuseRateLimitError

	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !refused:
		l.strikes = 0
		l.close(now, primary)
		return time.Time{}
	case after > 0:
		return l.close(now, now.Add(after))
	case !primary.IsZero():
		if soon := now.Add(time.Second); primary.Before(soon) { // the answer was long under way
			primary = soon
		}
		return l.close(now, primary)
	case status == http.StatusTooManyRequests, errors.As(err, &secondary), isSecondary(err):
		if l.strikes == 0 || !now.Before(l.until) { // else the request was under way when another found the limit
			l.strikes++
		}
		return l.close(now, now.Add(secondaryWait<<min(l.strikes-1, 6)))
	}
	return time.Time{}
}

// primary returns when the limit is renewed if no request is left; else zero. It
// is GitHub's clock that counts, as far as the answer tells it.
func (l *limits) primary(now time.Time, resp *http.Response) (reset time.Time) {
	h := resp.Header
	if r := h.Get(gogithub.HeaderRateResource); r != "" && r != "core" {
		return time.Time{}
	}
	left, err := strconv.Atoi(h.Get(gogithub.HeaderRateRemaining))
	if err != nil || left < 0 {
		return time.Time{}
	}
	l.remaining.Store(int64(left))
	at, err := strconv.ParseInt(h.Get(gogithub.HeaderRateReset), 10, 64)
	if left > 0 || err != nil {
		return time.Time{}
	}
	reset = time.Unix(at, 0)
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		return now.Add(reset.Sub(date))
	}
	return reset
}

// close allows no request until then, or until what was known, if that is
// later, and returns the time. The lock is held.
func (l *limits) close(now, until time.Time) time.Time {
	if last := now.Add(maxWait); until.After(last) {
		until = last
	}
	if until.After(l.until) {
		l.until = until
	}
	return l.until
}

// retryAfter returns the seconds of the header; 0 if there are none.
func retryAfter(h http.Header) time.Duration {
	s, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || s <= 0 {
		return 0
	}
	return min(time.Duration(s), time.Duration(maxWait/time.Second)) * time.Second
}

// isSecondary knows the words of a secondary limit, which may come without the
// address of its description.
func isSecondary(err error) bool {
	var e *gogithub.ErrorResponse
	return errors.As(err, &e) && strings.Contains(strings.ToLower(e.Message), "secondary rate limit")
}
