package localgit

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/internal/gitdir"
)

// defaultPoll is how often the repositories are looked at beside the
// notifications of their file systems.
const defaultPoll = time.Second

// A Repository is a Git repository that is mirrored.
type Repository struct {
	Name github.Repo // its name in the branch
	Path string      // a work tree, one that is linked, or a bare repository
}

// ParseRepository reads "USER/NAME:PATH", as it stands on the command line
// (GH-208). The first ":" parts the two. The error is Invalid and says how the
// text must look; whether there is a repository is not looked at.
func ParseRepository(text string) (Repository, error) {
	name, path, ok := strings.Cut(text, ":")
	if !ok || path == "" {
		return Repository{}, invalid("%q: write it as USER/NAME:PATH, such as me/project:/src/project", text)
	}
	r, err := github.ParseRepo(name)
	if err != nil {
		return Repository{}, invalid("%q: write it as USER/NAME:PATH: %w", text, err)
	}
	return Repository{r, path}, nil
}

// Check returns an error if there is no Git repository at the path, or one that
// cannot be read: NotExist or another. Paths within a work tree do not count.
func (r Repository) Check() error {
	dir, err := gitdir.Find(r.Path)
	if err == nil {
		err = gitdir.CheckFormat(dir)
	}
	if err != nil {
		return fmt.Errorf("%s: %s: %w", r.Name, r.Path, err)
	}
	return nil
}

// Options say what is mirrored where.
type Options struct {
	DB     *datakit.DB // required. It may lose its connection and reconnect.
	Branch string      // "" means layout.DefaultBranch. It need not exist.

	// Repositories are mirrored, at least one, each under a name of its own.
	Repositories []Repository

	// Tags mirrors the tags too, annotated ones as the commits they lead to.
	Tags bool

	// Poll is how often the repositories are looked at in Run, beside the
	// notifications of their file systems, which do not come everywhere; 0
	// means every second. It costs a look at each directory of references.
	Poll time.Duration

	Log *slog.Logger // nil means no log

	// Observe, unless nil, is called after each sync, on the goroutine of Run
	// or Once.
	Observe func(Report)

	deaf bool // as if there were no notifications, for tests
}

// A Report tells how a sync went, for metrics.
type Report struct {
	Took       time.Duration // reading what had changed, and the sync
	Err        error         // why the sync failed; Run tries it again
	Message    string        // of the commit that was made; "" for none
	Refs       int           // the references known in all repositories that can be read
	Unreadable int           // the repositories that cannot be read at present
}

// check completes the options and reports what is wrong with them.
func (o *Options) check() error {
	o.Branch = cmp.Or(o.Branch, layout.DefaultBranch)
	if o.Poll <= 0 {
		o.Poll = defaultPoll
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observe == nil {
		o.Observe = func(Report) {}
	}
	if len(o.Repositories) == 0 {
		return invalid("no repository to mirror: name at least one as USER/NAME:PATH")
	}
	names := map[github.Repo]bool{}
	var errs []error
	for _, r := range o.Repositories {
		if names[r.Name] {
			errs = append(errs, invalid("%s is given twice", r.Name))
		}
		names[r.Name] = true
		errs = append(errs, r.Check())
	}
	return join(errs...)
}

func invalid(format string, args ...any) error {
	return &datakit.Error{Kind: datakit.Invalid, Err: fmt.Errorf(format, args...)}
}

// Once brings the branch in step with the repositories as they are now, in one
// commit or, if it is in step, none. It fails without a commit if a path is no
// Git repository; one that cannot be read for another reason is an error too,
// but the others are mirrored.
func Once(ctx context.Context, opts Options) (Report, error) {
	if err := opts.check(); err != nil {
		return Report{}, err
	}
	b := newBridge(opts, nil)
	b.scanAll()
	r := b.sync(ctx)
	return r, join(r.Err, b.unreadable())
}

// Run keeps the branch in step with the repositories until ctx is done, and
// then returns nil. A change is noticed by the notifications of the file
// system, or by polling where these do not come; each is mirrored in one
// commit, changes at the same time together. What others change in the branch
// where the bridge owns it is undone within about a second, a branch that was
// lost is filled again, but references of a repository that another bridge
// mirrors too, of which the log warns, only when its own change. Run fails at once if a path is no
// Git repository. What fails later, a repository that cannot be read and a
// database that cannot be reached, is logged and tried again after a second,
// doubling up to a minute, and stops nothing else.
func Run(ctx context.Context, opts Options) error {
	if err := opts.check(); err != nil {
		return err
	}
	w := newWatcher(opts)
	defer w.close()
	b := newBridge(opts, w)
	b.scanAll()
	b.run(ctx)
	return nil
}
