package bridge

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/gitdb"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/githubtest"
	"github.com/datakit/datakit/github/layout"
	"github.com/datakit/datakit/memdb"
)

// TestConvergence plays people who change both sides, calls that fail, lose
// their answers or are refused, lost webhooks, conflicting and failing commits,
// repositories that come and go, and restarts, in random order; with every third
// seed most calls go on in the background. After each
// round it lets everything work again and checks that both sides have come to
// say what the ownership rules say they must.
//
// SOAK=DURATION makes it try new seeds for so long.
func TestConvergence(t *testing.T) {
	t.Parallel()
	if text := os.Getenv("SOAK"); text != "" {
		soak(t, text)
		return
	}
	for n := range uint64(rounds(3, 12)) {
		t.Run(fmt.Sprint(*seed+n), func(t *testing.T) {
			t.Parallel()
			converge(t, *seed+n, 5)
		})
	}
}

func soak(t *testing.T, text string) {
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	first := uint64(time.Now().UnixNano())
	for n, end := uint64(0), time.Now().Add(d); time.Now().Before(end) && !t.Failed(); n++ {
		t.Run(fmt.Sprint(first+n), func(t *testing.T) { converge(t, first+n, 20) })
	}
}

// A play is one run of the test.
type play struct {
	*env
	pick
	db   *faultyDB
	src  *githubtest.Source
	caps string

	repos   []github.Repo
	removes []func() // of the faults of this round

	// What the round has changed, by slot.
	before, branch, github map[string]string
	spoilt                 map[string]bool // no rule says what comes of these

	// loose says that GitHub's value may have won as well: after a restart, a
	// refusal, or a repository that was not mirrored for a while.
	loose bool

	// lossy says that only a resync can bring both sides together: after lost
	// webhooks and refusals.
	lossy bool
}

func converge(t *testing.T, seed uint64, rounds int) {
	t.Logf("-seed %d", seed)
	p := &play{pick: pick{rand.New(rand.NewPCG(seed, 1))}, repos: randomRepos[:2]}
	p.db = &faultyDB{Driver: p.database(t, seed).Driver(), watches: map[*watch]bool{}}
	p.env = newEnvOn(t, datakit.New(p.db), p.repos...)
	p.caps = oneOf(p.Rand, "*:rw", "*:rw", "*:rw", "*:r", "*:x", "*:rw,status[ci/datakit]:x", "*:r,ref:rw")
	p.can(p.caps)
	for _, repo := range p.repos {
		elements, _ := p.next(repo, nil)
		p.fill(elements...)
		p.put(repo)
	}
	p.src = p.source(p.repos...)
	p.sync()
	if seed%3 == 1 {
		p.hasten()
	}
	for n := range rounds {
		p.round(n)
		if t.Failed() {
			return
		}
	}
	if n := p.db.open.Load(); n != 0 {
		t.Errorf("%d transactions are open (GH-92)", n)
	}
}

// database is mostly in memory, and sometimes a repository on disk.
func (p *play) database(t *testing.T, seed uint64) *datakit.DB {
	if seed%10 != 0 {
		return memdb.New(nil)
	}
	db, err := gitdb.Open(t.TempDir(), &gitdb.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func (p *play) round(n int) {
	p.before, p.branch, p.github, p.loose = p.slots(), map[string]string{}, map[string]string{}, false
	p.lossy, p.spoilt = false, map[string]bool{}
	var story []string
	tell := func(format string, args ...any) { story = append(story, fmt.Sprintf(format, args...)) }
	p.breakThings(tell)
	for range 1 + p.IntN(4) {
		p.changeGitHub(tell)
		p.changeBranch(tell)
	}
	for range p.IntN(4) {
		p.disturb(tell)
		if err := Once(p.t.Context(), p.opts, p.state); err != nil {
			tell("the sync fails: %v", err)
		}
		p.checkKnown(fmt.Sprintf("%s, round %d, under way", p.caps, n))
	}
	when := fmt.Sprintf("%s, round %d", p.caps, n)
	p.heal(when)
	p.check(when)
	if p.t.Failed() {
		p.t.Logf("the story:\n  %s", strings.Join(story, "\n  "))
	}
}

// breakThings makes calls fail and webhooks get lost for a while.
func (p *play) breakThings(tell func(string, ...any)) {
	for range p.IntN(3) {
		f := githubtest.Fault{
			Op: oneOf(p.Rand, "", github.OpListPRs, github.OpListRefs, github.OpReadPR, github.OpReadComments, github.OpReadRef,
				github.OpReadStatuses, github.OpSetPR, github.OpSetRef, github.OpRemoveRef, github.OpSetStatus, github.OpCreateHook),
			Times:  1 + p.IntN(6),
			Status: oneOf(p.Rand, 0, 500, 401, 429),
			Late:   p.IntN(3) == 0,
		}
		if p.IntN(6) == 0 {
			f.Status, f.Late, p.loose, p.lossy = 422, false, true, true
		}
		tell("fault %+v", f)
		p.removes = append(p.removes, p.world.Inject(f))
	}
	if p.IntN(3) == 0 {
		tell("webhooks get lost")
		p.lossy = true
		lost := rand.New(rand.NewPCG(p.Uint64(), 2))
		p.src.Lose(func(githubtest.Change) bool { return lost.IntN(2) == 0 })
	}
}

// disturb does something to the bridge before its next sync.
func (p *play) disturb(tell func(string, ...any)) {
	p.db.atCommit(nil)
	p.opts.Source = p.src
	switch p.IntN(9) {
	case 8:
		tell("webhooks are late")
		p.opts.Source = nil
	case 0:
		tell("restart")
		p.opts.background.ended()
		p.restart()
		p.loose = true
	case 1:
		tell("the next commit fails")
		p.db.atCommit(func() error {
			p.db.atCommit(nil)
			return errors.New("the disk is full")
		})
	case 2:
		tell("a user is faster")
		p.db.atCommit(func() error {
			p.db.atCommit(nil)
			p.changeBranch(tell)
			return nil
		})
	case 3:
		repo := oneOf(p.Rand, p.repos...)
		tell("%s is not mirrored for a while", repo)
		p.remove(repo)
		p.db.atCommit(nil)
		_ = Once(p.t.Context(), p.opts, p.state)
		p.put(repo)
		p.loose = true
	case 4:
		repo := oneOf(p.Rand, p.repos...)
		tell("%s is dirty", repo)
		p.stain(repo)
	case 5:
		tell("resync")
		p.state.resync = true
	}
}

// heal lets everything work again and gives the bridge time to notice.
func (p *play) heal(when string) {
	p.db.atCommit(nil)
	p.src.Lose(nil)
	p.opts.Source = p.src
	for _, remove := range p.removes {
		remove()
	}
	p.removes = nil
	p.settle()
	p.sync()
	p.sync()
	p.settle()
	if !p.lossy {
		p.checkSides(when + ", before the resync")
	}
	for _, m := range p.content().Malformed {
		p.remove(m.ID)
	}
	p.sync()
	p.resync()
	for _, repo := range p.repos {
		p.stain(repo) // so that what was refused is sent again
	}
	p.sync()
	p.sync()
	p.settle()
}

// hasten has the syncs hardly wait for any call, so that most go on in the
// background.
func (p *play) hasten() {
	p.opts.patience = time.Nanosecond
	p.opts.background = newBackground(p.opts.withDefaults())
	p.t.Cleanup(p.opts.background.ended)
	p.world.SetLatency(func(string) time.Duration { return rand.N(2 * time.Millisecond) })
}

// settle syncs until nothing goes on in the background, and once more, as a
// sync may find more to do.
func (p *play) settle() {
	for n, left := 0, true; p.opts.background != nil && left; n++ {
		p.opts.background.ended()
		left = p.state.goesOn()
		if n == 100 {
			p.t.Fatalf("it does not come to rest: %v, touched %v", p.state.pending(), p.state.touched)
		}
		p.sync()
	}
}

// goesOn reports whether there is something left to do.
func (s *State) goesOn() bool {
	s.running.Lock()
	defer s.running.Unlock()
	left := len(s.sends) + len(s.touched)
	for k, r := range s.reads {
		if r.reason == "" && !s.refuses(k.repo) {
			left++
		}
	}
	for _, h := range s.hooks {
		if h.reason == "" {
			left++
		}
	}
	return left > 0
}

// check compares both sides with each other and with the rules.
func (p *play) check(when string) {
	p.t.Helper()
	head := p.head()
	p.world.ResetCalls()
	p.sync()
	p.settle()
	if calls := p.calls(); calls != "" || p.head() != head {
		p.t.Errorf("%s: it does not come to rest: calls %q, commit %q", when, calls, p.message())
	}
	p.checkKnown(when)
	if files := p.leftovers(); files != "" {
		p.t.Errorf("%s: these are left: %s", when, files)
	}
	p.checkSides(when)
	now := p.slots()
	if p.opts.background != nil && p.loose {
		now = nil // of several values of the branch GitHub may have got an earlier one last
	}
	for _, slot := range slices.Sorted(maps.Keys(now)) {
		if want, known := p.want(slot); known && !slices.Contains(want, now[slot]) {
			p.t.Errorf("%s: GitHub has %s = %q, want one of %q (it was %q, GitHub changed it to %q, the branch to %q)",
				when, slot, now[slot], want, p.before[slot], p.github[slot], p.branch[slot])
		}
	}
	if o := p.world.Overlaps(); len(o) > 0 {
		p.t.Errorf("%s: calls for %v overlapped (GH-131)", when, o)
	}
}

// checkKnown checks that what the bridge believes the branch to say is what a
// full read says.
func (p *play) checkKnown(when string) {
	p.t.Helper()
	known := p.state.branch
	full, err := layout.ReadCommit(p.t.Context(), p.opts.DB, known.Head, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if diff := github.Compute(full.Snapshot, known.Snapshot); !diff.IsEmpty() {
		p.t.Errorf("%s: the bridge does not know: %s", when, diff.Message())
	}
	if !slices.Equal(full.Errors, known.Errors) || !slices.Equal(full.Malformed, known.Malformed) {
		p.t.Errorf("%s: the bridge believes in %v, %v; there are %v, %v", when, known.Errors, known.Malformed, full.Errors, full.Malformed)
	}
}

// leftovers returns the .error and .dirty files of the branch.
func (p *play) leftovers() string {
	c := p.content()
	return text(c.Errors) + text(c.Dirty)
}

func text(ids []github.ID) string {
	if len(ids) == 0 {
		return ""
	}
	return fmt.Sprint(ids)
}

// checkSides checks that the branch says what GitHub does; as far as the branch
// alone counts, of what it says.
func (p *play) checkSides(when string) {
	p.t.Helper()
	b := p.content().Snapshot
	diff := github.Compute(p.onGitHub(p.repos...), b).Filter(func(id github.ID) bool {
		if _, isCommit := id.(github.Commit); isCommit {
			return !strings.Contains(p.caps, "x")
		}
		exclusive := p.permIn(id).exclusive
		_, isRef := id.(github.RefID)
		return !exclusive || isRef || b.Has(id)
	})
	if !diff.IsEmpty() {
		p.t.Errorf("%s: the branch must still be told: %s", when, diff.Message())
	}
}

func (p *play) permIn(id github.ID) perm { return newSyncer(p.opts, &State{}).permOf(id) }

// want returns the values that GitHub may have in a slot by the rules; known is
// false if they say nothing.
func (p *play) want(slot string) (values []string, known bool) {
	id, needed := p.idOf(slot)
	perm := p.permIn(id)
	branch, branchChanged := p.branch[slot]
	gh, githubChanged := p.github[slot]
	if !githubChanged {
		gh = p.before[slot]
	}
	switch {
	case p.spoilt[slot]:
		return nil, false
	case !perm.write:
		return []string{gh}, true
	case perm.exclusive && !needed:
		return nil, false // it may have been pruned before the bridge could set it back
	case branchChanged && p.loose && !perm.exclusive:
		return []string{gh, branch, p.before[slot]}, true
	case branchChanged && branch == p.before[slot]:
		return []string{gh, branch}, true // whether a sync came in between is a matter of chance
	case branchChanged:
		return []string{branch}, true
	case perm.exclusive:
		return nil, false
	}
	return []string{gh}, true
}

// idOf returns the element of a slot, and whether the branch has it.
func (p *play) idOf(slot string) (id github.ID, needed bool) {
	kind, rest, _ := strings.Cut(slot, " ")
	name, rest, _ := strings.Cut(rest, " ")
	repo, err := github.ParseRepo(name)
	if err != nil {
		panic(err)
	}
	switch kind {
	case "ref":
		return github.RefID{Repo: repo, Name: github.RefName(rest)}, true
	case "status":
		hash, ctx, _ := strings.Cut(rest, ":")
		id = github.StatusID{Commit: github.Commit{Repo: repo, Hash: hash}, Context: github.Context(ctx)}
	default:
		var n int
		fmt.Sscan(rest, &n)
		id = github.PRID{Repo: repo, Number: n}
	}
	return id, p.content().Snapshot.Has(id)
}
