package bridge

import (
	"fmt"
	"slices"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
	"github.com/datakit/datakit/github/layout"
)

// slots returns all that GitHub has and that a branch can change: references,
// statuses, and fields of pull requests.
func (p *play) slots() map[string]string {
	slots := map[string]string{}
	for _, repo := range p.repos {
		for _, name := range randomRefs {
			slots[fmt.Sprintf("ref %s %s", repo, name)] = ""
		}
		s := p.world.Look(repo)
		for _, r := range s.Refs {
			slots[fmt.Sprintf("ref %s %s", repo, r.Name)] = r.Commit.Hash
		}
		for _, st := range s.Statuses {
			slots[statusSlot(st)] = st.String()
		}
		for _, pr := range s.PRs {
			slots[prSlot("title", pr)], slots[prSlot("base", pr)] = pr.Title, pr.Base
			slots[prSlot("state", pr)] = pr.State.String()
		}
	}
	return slots
}

func statusSlot(st github.Status) string {
	return fmt.Sprintf("status %s %s:%s", st.Commit.Repo, st.Commit.Hash, st.Context)
}

func prSlot(field string, pr github.PR) string {
	return fmt.Sprintf("%s %s %d", field, pr.Head.Repo, pr.Number)
}

// changeGitHub has somebody change something on GitHub.
func (p *play) changeGitHub(tell func(string, ...any)) {
	repo := oneOf(p.Rand, p.repos...)
	prs := p.world.Look(repo).PRs
	switch p.IntN(6) {
	case 0:
		name := oneOf(p.Rand, randomRefs...)
		p.world.DropRef(repo, string(name))
		p.noteGitHub(tell, fmt.Sprintf("ref %s %s", repo, name), "")
	case 1:
		r := github.Ref{Commit: p.commit(repo), Name: oneOf(p.Rand, randomRefs...)}
		p.world.PutRef(r)
		p.noteGitHub(tell, fmt.Sprintf("ref %s %s", repo, r.Name), r.Commit.Hash)
	case 2:
		st := p.status(p.commit(repo), oneOf(p.Rand, randomContexts...))
		p.world.AddStatus(st)
		p.noteGitHub(tell, statusSlot(st), st.String())
	case 3:
		pr := p.pr(repo, len(prs)+1)
		p.world.PutPR(pr)
		tell("GitHub: new %v", pr)
		for _, field := range []string{"title", "state", "base"} {
			p.github[prSlot(field, pr)] = map[string]string{"title": pr.Title, "base": pr.Base, "state": "open"}[field]
		}
	default:
		if len(prs) > 0 {
			p.editOnGitHub(tell, oneOf(p.Rand, prs...))
		}
	}
}

func (p *play) noteGitHub(tell func(string, ...any), slot, value string) {
	tell("GitHub: %s = %q", slot, value)
	p.github[slot] = value
}

func (p *play) editOnGitHub(tell func(string, ...any), pr github.PR) {
	p.world.EditPR(pr.ID(), func(pr *github.PR) {
		switch p.IntN(6) {
		case 0:
			pr.Title = p.title()
			p.noteGitHub(tell, prSlot("title", *pr), pr.Title)
		case 1:
			pr.Base = p.base()
			p.noteGitHub(tell, prSlot("base", *pr), pr.Base)
		case 2:
			pr.State = 1 - pr.State
			p.noteGitHub(tell, prSlot("state", *pr), pr.State.String())
		case 3:
			pr.Head = p.commit(pr.Head.Repo)
			tell("GitHub: the head of %v", *pr)
		case 4:
			pr.Owner = p.owner()
		case 5:
			body, _ := splitBody(pr.Comments)
			pr.Comments = append(body, p.comments()...)
		}
	})
}

// changeBranch has a user commit something to the branch.
func (p *play) changeBranch(tell func(string, ...any)) {
	repo := oneOf(p.Rand, p.repos...)
	now := p.content().Snapshot
	prs := slices.Collect(now.PRsOf(repo))
	switch p.IntN(7) {
	case 0:
		name := oneOf(p.Rand, randomRefs...)
		if len(slices.Collect(now.RefsOf(repo))) < 2 {
			return // the last one: removing it would be no order to delete at a first import (GH-122)
		}
		p.remove(github.RefID{Repo: repo, Name: name})
		p.noteBranch(tell, fmt.Sprintf("ref %s %s", repo, name), "")
	case 1:
		r := github.Ref{Commit: p.commit(repo), Name: oneOf(p.Rand, randomRefs...)}
		p.put(r)
		p.noteBranch(tell, fmt.Sprintf("ref %s %s", repo, r.Name), r.Commit.Hash)
	case 2, 3:
		st := p.status(p.commit(repo), oneOf(p.Rand, randomContexts...))
		p.put(st)
		p.noteBranch(tell, statusSlot(st), st.String())
		if !now.Has(st.ID()) {
			p.branch[statusSlot(st)] = st.String() // it is new there, whatever GitHub had
		}
	case 4:
		p.spoilOnBranch(tell, now, repo)
	default:
		if len(prs) > 0 {
			p.editOnBranch(tell, oneOf(p.Rand, prs...))
		}
	}
}

func (p *play) noteBranch(tell func(string, ...any), slot, value string) {
	tell("branch: %s = %q", slot, value)
	if _, changed := p.branch[slot]; changed || value != p.before[slot] {
		p.branch[slot] = value
	}
}

// spoilOnBranch writes what no bridge can send: what is GitHub's, which must not
// stay, and what cannot be understood.
func (p *play) spoilOnBranch(tell func(string, ...any), now github.Snapshot, repo github.Repo) {
	var file datakit.Path
	content := "nonsense\n"
	prs, statuses := slices.Collect(now.PRsOf(repo)), slices.Collect(now.StatusesOf(repo))
	switch n := p.IntN(3); {
	case n == 0 && len(statuses) > 0:
		st := oneOf(p.Rand, statuses...)
		file = layout.Dir(st.ID()) + "/state"
		p.spoilt[statusSlot(st)] = true
	case len(prs) > 0:
		pr := oneOf(p.Rand, prs...)
		file = layout.Dir(pr.ID()) + "/owner"
		if n == 1 {
			file = layout.Dir(pr.ID()) + "/state"
			p.spoilt[prSlot("title", pr)], p.spoilt[prSlot("state", pr)], p.spoilt[prSlot("base", pr)] = true, true, true
		}
	default:
		return
	}
	if file.Base() == "state" {
		p.lossy = true
	}
	tell("branch: %s is %q", file, content)
	p.update(func(tx *datakit.Tx) error { return put(p.t, tx, file, content) })
}

func (p *play) editOnBranch(tell func(string, ...any), pr github.PR) {
	field, value := "title", p.title()
	switch p.IntN(3) {
	case 0:
		field, value = "base", p.base()
	case 1:
		field, value = "state", oneOf(p.Rand, "open", "closed")
	}
	p.update(func(tx *datakit.Tx) error {
		return put(p.t, tx, layout.Dir(pr.ID()).Join(datakit.Path(field)), value+"\n")
	})
	p.noteBranch(tell, prSlot(field, pr), value)
}
