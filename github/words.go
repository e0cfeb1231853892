package github

import (
	"strings"

	"github.com/datakit/datakit"
)

// MaxDescription is the number of Unicode code points that a status's
// description may have, GitHub's limit (GH-16).
const MaxDescription = 140

var prWords = []string{Open: "open", Closed: "closed"}

var statusWords = []string{Errored: "error", Pending: "pending", Success: "success", Failure: "failure"}

// String returns GitHub's word: "open" or "closed".
func (s PRState) String() string { return prWords[s] }

// ParsePRState reads the trimmed word of a state. The error is Invalid.
func ParsePRState(text string) (PRState, error) {
	switch Trim(text) {
	case "open":
		return Open, nil
	case "closed":
		return Closed, nil
	}
	return 0, invalid("state %q of a pull request is neither open nor closed", Trim(text))
}

// String returns GitHub's word, or "" for the zero StatusState.
func (s StatusState) String() string { return statusWords[s] }

// ParseStatusState reads the trimmed word of a state. The error is Invalid.
func ParseStatusState(text string) (StatusState, error) {
	text = Trim(text)
	for i, w := range statusWords {
		if w != "" && w == text {
			return StatusState(i), nil
		}
	}
	return 0, invalid("state %q of a status is none of error, pending, success and failure", text)
}

// ParseContext returns GitHub's text as a context; the empty text is
// DefaultContext (GH-13). The error is Invalid for a context that the layout
// cannot hold (GH-15).
func ParseContext(text string) (Context, error) {
	if text == "" {
		return DefaultContext, nil
	}
	if err := checkSteps(text); err != nil {
		return "", invalid("status context %q: %w", text, err)
	}
	for step := range strings.SplitSeq(text, "/") {
		switch step {
		case "state", "description", "target_url":
			return "", invalid("status context %q: the step %q is the name of a file of the layout", text, step)
		}
	}
	return Context(text), nil
}

// ParseRefName returns text, a name without the leading "refs/", as the name of
// a reference. The error is Invalid unless each part is a step that does not
// start with a dot (GH-21).
func ParseRefName(text string) (RefName, error) {
	if err := checkSteps(text); err != nil {
		return "", invalid("name %q of a ref: %w", text, err)
	}
	return RefName(text), nil
}

func checkSteps(text string) error {
	p, err := datakit.ParsePath(text)
	if err != nil {
		return err
	}
	for step := range p.Steps() {
		if err := datakit.CheckName(step); err != nil {
			return err
		}
		if step[0] == '.' {
			return invalid("the step %q starts with a dot", step)
		}
	}
	return nil
}

// NewStatus returns the status of the trimmed description and URL, the
// description cut to MaxDescription and trimmed again (GH-16). Empty ones are
// none (GH-17).
func NewStatus(c Commit, ctx Context, state StatusState, description, url string) Status {
	return Status{Commit: c, Context: ctx, State: state, Description: cut(Trim(description)), URL: Trim(url)}
}

func cut(text string) string {
	n := 0
	for i := range text {
		if n == MaxDescription {
			return Trim(text[:i])
		}
		n++
	}
	return text
}
