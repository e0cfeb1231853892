package autopush

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit"
)

// TestFS193_RetriesAreNotPutOff has a branch refused for an hour while another
// one changes all the time.
func TestFS193_RetriesAreNotPutOff(t *testing.T) {
	r := &remote{}
	accepted := time.Duration(0)
	r.outcome = func(branches []string) (map[string]error, error) {
		if !slices.Contains(branches, "bad") {
			return nil, nil
		}
		if now := time.Since(r.start); now > time.Hour {
			accepted = now
			return nil, nil
		}
		return map[string]error{"bad": errors.New("denied")}, nil
	}
	play(t, r, func(c changes) {
		c <- []string{"bad"}
		for time.Since(r.start) < 2*time.Hour {
			c <- []string{"busy"}
			time.Sleep(10 * time.Second)
		}
	})
	if accepted == 0 || accepted > time.Hour+maxPause+delay {
		t.Errorf("bad was accepted at %v, want within 5 minutes of 1h", accepted)
	}
}

// TestFS193_FailuresAreLogged looks at the log of a push that fails, of one of
// which half is refused, and of changes that cannot be followed.
func TestFS193_FailuresAreLogged(t *testing.T) {
	var log strings.Builder
	outcomes := []func() (map[string]error, error){
		func() (map[string]error, error) { return nil, errors.New("no route") },
		func() (map[string]error, error) { return map[string]error{"a": errors.New("denied")}, nil },
		func() (map[string]error, error) { return nil, nil },
	}
	durations := 0
	p := &Pusher{
		Push: func(context.Context, []string) (map[string]error, error) {
			next := outcomes[0]
			outcomes = outcomes[1:]
			return next()
		},
		Remote: "there",
		Log:    slog.New(slog.NewTextHandler(&log, nil)),
		OnPush: func(time.Duration) { durations++ },
	}
	perform(t, p, func(c changes, _ func()) {
		c <- []string{"a", "b"}
		time.Sleep(time.Hour)
		close(c) // the database was closed
	})
	for _, want := range []string{
		`level=ERROR msg="push failed" remote=there branches="a b" error="no route"`,
		`level=ERROR msg="the remote refuses a branch" remote=there branch=a error=denied`,
		`level=INFO msg=pushed remote=there branches=b`,
		`level=INFO msg=pushed remote=there branches=a`,
		`level=ERROR msg="changes are not pushed any more" remote=there error="` + datakit.Closed.Error() + `"`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in\n%s", want, log.String())
		}
	}
	if durations != 3 || len(outcomes) != 0 {
		t.Errorf("%d pushes were told of, and %d not made, want 3 and 0", durations, len(outcomes))
	}
}

// TestFS195_LeftIsLogged stops while all but one branch are refused, then while
// none can be pushed, and at last while nothing is left.
func TestFS195_LeftIsLogged(t *testing.T) {
	for _, tt := range []struct {
		refused map[string]error
		err     error
		want    string // the end of the log, or "" for no such line
	}{
		{refused: map[string]error{"b": errors.New("locked"), "a": errors.New("locked")}, want: `"a b"`},
		{err: errors.New("no route"), want: `"a b c"`},
		{},
	} {
		var log strings.Builder
		p := &Pusher{
			Push:   func(context.Context, []string) (map[string]error, error) { return tt.refused, tt.err },
			Remote: "there",
			Log:    slog.New(slog.NewTextHandler(&log, nil)),
		}
		perform(t, p, func(c changes, _ func()) { c <- []string{"c", "b", "a"} })
		const line = `level=WARN msg="branches are left unpushed" remote=there branches=`
		if tt.want == "" && strings.Contains(log.String(), line) || !strings.HasSuffix(log.String(), line+tt.want+"\n") && tt.want != "" {
			t.Errorf("refused %v, error %v: the log ends with\n%s\nwant %s%s", tt.refused, tt.err, log.String(), line, tt.want)
		}
	}
}

// TestFS195_FinalPushIsLimited has a remote that never answers.
func TestFS195_FinalPushIsLimited(t *testing.T) {
	p := &Pusher{Push: func(ctx context.Context, _ []string) (map[string]error, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	perform(t, p, func(c changes, stop func()) {
		c <- []string{"a"}
		time.Sleep(time.Hour) // the first push hangs
		start := time.Now()
		stop()
		if took := time.Since(start); took < finalLimit || took > finalLimit+drainLimit {
			t.Errorf("stopping took %v, want %v", took, finalLimit)
		}
	})
}
