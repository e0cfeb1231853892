package hook

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/token"
)

// Options say how a Source works.
type Options struct {
	// URL is the public address of the webhooks, such as
	// https://ci.example.org/hooks; that of a repository has "/user/name"
	// after it (GH-175). Required: http or https, with a host.
	URL string

	// Secret is what GitHub signs with. Required.
	Secret token.Secret

	// Hooks registers the webhooks. If it is nil none are registered or
	// removed: somebody else does that.
	Hooks github.HookAPI

	// Confirm is how long after a ping a delivery must have come; 0 means 10
	// seconds (GH-179).
	Confirm time.Duration

	// OnDelivery, if set, is told how each delivery was answered, with one of
	// Results. It must be quick.
	OnDelivery func(result string)

	Log *slog.Logger // nil means no log
}

// A Source is the webhooks of a program: where their events come from, and the
// HTTP handler of GitHub's deliveries. Its methods may be called from several
// goroutines at once.
type Source struct {
	opts Options
	url  *url.URL // its path has no slash at the end
	*queue

	large     chan struct{} // has a value for each largeBody of bytes that is read beyond the first of a delivery
	largeWait time.Duration // how long a delivery waits for one

	ctx    context.Context // until Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu         sync.Mutex // guards what follows
	watched    map[github.Repo]*watch
	deliveries *recent // that were accepted
	reports    *recent // of what was left out
}

var _ github.Receiver = (*Source)(nil)

// A watch is a repository whose deliveries are accepted.
type watch struct {
	id    int64         // the number of the webhook that was pinged last; else 0
	heard chan struct{} // closed by the first delivery after the last ping
}

// New returns a Source that watches no repository yet. The error says what is
// wrong with the URL. Close the Source after the last other call.
func New(opts Options) (*Source, error) {
	u, err := ParseURL(opts.URL)
	if err != nil {
		return nil, err
	}
	if opts.Confirm == 0 {
		opts.Confirm = 10 * time.Second
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Source{
		opts:       opts,
		url:        u,
		large:      make(chan struct{}, maxLarge),
		largeWait:  largeWait,
		queue:      newQueue(),
		watched:    make(map[github.Repo]*watch),
		deliveries: newRecent(10_000), // GH-182
		reports:    newRecent(1000),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// ParseURL reads the public address of webhooks. A slash at its end makes no
// difference.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("webhook URL %q: use http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH]", text)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, fmt.Errorf("webhook URL %q: only scheme, host, port and path are allowed", text)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u, nil
}

// Close ends what still waits for deliveries to confirm a webhook. The
// webhooks stay registered (GH-184).
func (s *Source) Close() error {
	s.cancel()
	s.work.Wait()
	return nil
}

// hookURL returns the address of the webhook of a repository (GH-175).
func (s *Source) hookURL(r github.Repo) string {
	return s.url.JoinPath(r.User, r.Name).String()
}

// Accept has the deliveries of a repository accepted.
func (s *Source) Accept(r github.Repo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watched[r] == nil {
		s.watched[r] = &watch{heard: make(chan struct{})}
	}
}

// Refuse has the deliveries of a repository refused.
func (s *Source) Refuse(r github.Repo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watched, r)
}

// accepts reports whether deliveries of a repository are accepted.
func (s *Source) accepts(r github.Repo) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watched[r] != nil
}

// nextDelivery returns a channel that is closed when the next delivery of a
// repository has come, of which the webhook with the number is to be pinged.
func (s *Source) nextDelivery(r github.Repo, id int64) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &watch{id: id, heard: make(chan struct{})}
	if s.watched[r] != nil {
		s.watched[r] = w
	}
	return w.heard
}

// sure reports whether the webhook with the number is known to have our secret:
// something signed with it has come since it was pinged.
func (s *Source) sure(r github.Repo, id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.watched[r]
	if w == nil || w.id != id {
		return false
	}
	select {
	case <-w.heard:
		return true
	default:
		return false
	}
}

// heard notes that a verified delivery of a repository has come.
func (s *Source) heard(r github.Repo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.watched[r]
	if w == nil {
		return
	}
	select {
	case <-w.heard:
	default:
		close(w.heard)
	}
}
