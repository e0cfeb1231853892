package fsapi

import (
	"strings"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/vfs"
)

// A branch is one directory, whatever slashes its name has. Listings write
// each "%" of a name as "%25" and each "/" as "%2F".

var branchEscaper = strings.NewReplacer("%", "%25", "/", "%2F")

func escapeBranch(name string) string { return branchEscaper.Replace(name) }

// unescapeBranch reads the name of a branch in that form, or in its raw form
// if it has no "%". It fails for anything else, and for what cannot be the
// name of a branch.
func unescapeBranch(text string) (name string, ok bool) {
	name = text
	if strings.Contains(text, "%") {
		if name, ok = unescape(text); !ok {
			return "", false
		}
	}
	return name, datakit.CheckBranch(name) == nil
}

func unescape(text string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '/':
			return "", false
		case text[i] != '%':
			b.WriteByte(text[i])
			continue
		case strings.HasPrefix(text[i:], "%25"):
			b.WriteByte('%')
		case strings.HasPrefix(text[i:], "%2F"), strings.HasPrefix(text[i:], "%2f"):
			b.WriteByte('/')
		default:
			return "", false
		}
		i += 2
	}
	return b.String(), true
}

// maxBranchStep is the length of the longest part of a branch's name, which
// becomes the name of a file with ".lock" at its end.
const maxBranchStep = datakit.MaxName - len(".lock")

// newBranchName is unescapeBranch for a branch that is to be made.
func newBranchName(text string) (string, error) {
	name, ok := unescapeBranch(text)
	if !ok {
		return "", badBranch(text)
	}
	for step := range strings.SplitSeq(name, "/") {
		if len(step) > maxBranchStep {
			return "", vfs.ErrNameTooLong
		}
	}
	return name, nil
}
