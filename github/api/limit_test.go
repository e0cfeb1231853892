package api

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

// limitedAnswer is a 403 that says that no request is left until the reset.
func limitedAnswer(date, reset time.Time) *http.Response {
	h := http.Header{"Date": {date.UTC().Format(http.TimeFormat)}}
	h.Set("X-RateLimit-Remaining", "0")
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	return &http.Response{StatusCode: http.StatusForbidden, Header: h}
}

func TestGH167_ClocksDiffer(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	for _, off := range []time.Duration{-5 * time.Hour, 0, 5 * time.Hour} {
		var l limits
		theirs := now.Add(off)
		if got := l.note(now, limitedAnswer(theirs, theirs.Add(20*time.Minute)), nil); !got.Equal(now.Add(20 * time.Minute)) {
			t.Errorf("GitHub's clock is %s off: the next call is allowed in %s, want 20m", off, got.Sub(now))
		}
	}
	var l limits
	if got := l.note(now, limitedAnswer(now, now.Add(-time.Minute)), nil); !got.After(now) {
		t.Errorf("a limit that has just ended counts as a refusal: %s", got)
	}
}

func TestGH167_SecondaryDoubles(t *testing.T) {
	t.Parallel()
	var l limits
	now := time.Unix(1_800_000_000, 0)
	resp := &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}}
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		got := l.note(now, resp, nil)
		if !got.Equal(now.Add(want * time.Minute)) {
			t.Errorf("limit %d: the next call is allowed in %s, want %dm", i, got.Sub(now), want)
		}
		if until, ok := l.closed(now); !ok || !until.Equal(got) {
			t.Errorf("limit %d: closed = %s, %v", i, until, ok)
		}
		now = got
		if _, ok := l.closed(now); ok {
			t.Errorf("limit %d: no call is allowed when it has ended", i)
		}
	}
	l.note(now, &http.Response{StatusCode: http.StatusOK, Header: http.Header{}}, nil)
	if got := l.note(now, resp, nil); !got.Equal(now.Add(time.Minute)) {
		t.Errorf("after a success: %s, want a minute", got.Sub(now))
	}
}

// TestGH167_RequestsUnderWayDoubleNothing has one limit strike all requests
// that are under way.
func TestGH167_RequestsUnderWayDoubleNothing(t *testing.T) {
	t.Parallel()
	var l limits
	now := time.Unix(1_800_000_000, 0)
	resp := &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}}
	for range 16 {
		if got := l.note(now, resp, nil); !got.Equal(now.Add(time.Minute)) {
			t.Fatalf("the next call is allowed in %s, want a minute", got.Sub(now))
		}
	}
}
