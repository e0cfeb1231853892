package layout

import (
	"strconv"
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/github"
)

// DefaultBranch is the branch that holds the GitHub data unless an option says
// otherwise (GH-38).
const DefaultBranch = "github-metadata"

// The names of the files and directories of the layout.
const (
	monitorFile = ".monitor"
	dirtyFile   = ".dirty"
	errorFile   = ".error"

	prDir       = "pr"
	commentsDir = "comments"
	commitDir   = "commit"
	statusDir   = "status"
	refDir      = "ref"

	headFile  = "head"
	stateFile = "state"
	titleFile = "title"
	ownerFile = "owner"
	baseFile  = "base"

	idFile   = "id"
	userFile = "user"
	bodyFile = "body"

	descriptionFile = "description"
	urlFile         = "target_url"
)

// join joins the steps and paths that elements are made of.
func join(steps ...string) datakit.Path { return datakit.Path(strings.Join(steps, "/")) }

// Dir returns the directory of an element, below which all of its files are.
func Dir(id github.ID) datakit.Path {
	r := id.Repository()
	switch id := id.(type) {
	case github.PRID:
		return join(r.User, r.Name, prDir, strconv.Itoa(id.Number))
	case github.StatusID:
		return join(r.User, r.Name, commitDir, id.Commit.Hash, statusDir, string(id.Context))
	case github.RefID:
		return join(r.User, r.Name, refDir, string(id.Name))
	case github.Commit:
		return join(r.User, r.Name, commitDir, id.Hash)
	default:
		return join(r.User, r.Name)
	}
}
