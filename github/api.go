package github

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// An API is what the sync asks of GitHub (spec/github.md, section 6.1). Its
// methods may be called from several goroutines at once; each is one logical
// operation, which may take several requests. They return when ctx ends, and
// call Progress after each request.
//
// An error is an *APIError where GitHub has answered, or could not be reached.
// "Absent" is an answer and no error (GH-159).
type API interface {
	// RepoExists reports whether GitHub shows the repository. A repository that
	// it refuses to show (403, 451) is an error.
	RepoExists(ctx context.Context, r Repo) (bool, error)

	// PRs returns the open pull requests in the order of creation, with their
	// comments. Where only the comments of some could not be read, these PRs
	// have just their body, err is nil, and partial names them, each with the
	// error (GH-228).
	PRs(ctx context.Context, r Repo) (prs []PR, partial map[PRID]error, err error)

	// PR returns one pull request in whatever state, with its comments; ok is
	// false if there is none. The error is a *CommentsError, beside a PR that
	// has just its body, if only the comments could not be read.
	PR(ctx context.Context, id PRID) (pr PR, ok bool, err error)

	// Comments returns the comments after the body of a pull request, oldest
	// first.
	Comments(ctx context.Context, id PRID) ([]Comment, error)

	// Refs returns the branches and tags, annotated tags resolved to their
	// commits. Those that could not be resolved are not among them; partial
	// names each with the error (GH-161).
	Refs(ctx context.Context, r Repo) (refs []Ref, partial map[RefID]error, err error)

	// Ref returns one reference; ok is false if there is none.
	Ref(ctx context.Context, id RefID) (ref Ref, ok bool, err error)

	// Statuses returns the newest status of each context of a commit. A commit
	// that GitHub does not have has none.
	Statuses(ctx context.Context, c Commit) ([]Status, error)

	// SetPR sends the fields of the change that are set, and nothing else
	// (GH-125).
	SetPR(ctx context.Context, id PRID, change PRChange) error

	// SetRef creates the reference, or moves it. A move that is not a
	// fast-forward is refused unless force is set (GH-163). create says that
	// GitHub has no such reference as far as is known; it saves calls if that
	// is true and makes no other difference.
	SetRef(ctx context.Context, ref Ref, create, force bool) error

	// RemoveRef removes the reference. One that is gone is no error.
	RemoveRef(ctx context.Context, id RefID) error

	// SetStatus sets a status of a commit and returns GitHub's serial number of
	// it, 0 if that is not known.
	SetStatus(ctx context.Context, s Status) (serial int64, err error)
}

type progressKey struct{}

// WithProgress returns a context whose calls of an API tell f of each answer.
// f may be called from several goroutines at once and must be quick.
func WithProgress(ctx context.Context, f func()) context.Context {
	return context.WithValue(ctx, progressKey{}, f)
}

// Progress tells whoever waits for a call with the context that a request of
// it has ended, so that the call does not hang.
func Progress(ctx context.Context) {
	if f, ok := ctx.Value(progressKey{}).(func()); ok {
		f()
	}
}

// A PRChange holds the fields of a pull request that are to be sent; those
// that are nil are left as they are.
type PRChange struct {
	Title *string
	State *PRState
	Base  *string
}

// A Source is where webhook events come from. Its methods may be called from
// several goroutines at once.
type Source interface {
	// Watch registers the webhook of a repository, or finds that it is
	// registered (GH-177, GH-178), which must be cheap.
	Watch(ctx context.Context, r Repo) error

	// Unwatch removes the webhook of a repository (GH-184).
	Unwatch(ctx context.Context, r Repo) error

	// Events returns the queued events in the order of their arrival, with a
	// function that takes exactly these from the queue. Until it is called
	// they are returned again (GH-107).
	Events() (events []Delivered, done func())

	// Wake returns a channel that receives a value after events were queued.
	Wake() <-chan struct{}
}

// A Receiver is a Source that refuses events of other repositories than those
// that it was told of: by Watch and Unwatch, or by Accept and Refuse, which
// register and remove nothing.
type Receiver interface {
	Source
	Accept(r Repo)
	Refuse(r Repo)
}

// A Delivered is an event with the time at which it arrived.
type Delivered struct {
	Event Event
	At    time.Time
}

// An APIError is a call to GitHub that failed.
type APIError struct {
	Op      string // the logical operation, such as "set status"
	Subject string // what it was about, in the form of GH-27
	Status  int    // the HTTP status; 0 if no answer came
	Message string // GitHub's own words, or the cause; never a secret

	// RetryAt is when GitHub allows the next call, after a rate limit; zero
	// otherwise.
	RetryAt time.Time

	// Temporary says that the same call may succeed later; otherwise GitHub
	// has refused it (GH-113).
	Temporary bool

	Err error // the cause, or nil
}

// Error names the operation, the subject, the status and the message.
func (e *APIError) Error() string {
	return fmt.Sprintf("%s %s: %s", e.Op, e.Subject, e.Reason())
}

// Reason returns the status and the message in one line, such as
// "422 No commit found for SHA: foo".
func (e *APIError) Reason() string {
	if e.Status == 0 {
		return e.Message
	}
	return fmt.Sprintf("%d %s", e.Status, e.Message)
}

// Unwrap returns the cause.
func (e *APIError) Unwrap() error { return e.Err }

// Refused reports whether err is GitHub's refusal, as opposed to a failure
// that may pass (GH-113). Whatever is no *APIError may pass.
func Refused(err error) bool {
	var e *APIError
	return errors.As(err, &e) && !e.Temporary
}

// A CommentsError says that a pull request was read but for its comments.
type CommentsError struct {
	PR  PRID
	Err error
}

// Error names the pull request and the cause.
func (e *CommentsError) Error() string {
	return fmt.Sprintf("read the comments of %s#%d: %v", e.PR.Repo, e.PR.Number, e.Err)
}

// Unwrap returns the cause.
func (e *CommentsError) Unwrap() error { return e.Err }
