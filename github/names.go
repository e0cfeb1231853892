package github

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/datakit/datakit"
)

// asciiSpace are the characters that trimming removes (spec/github.md, section 0).
const asciiSpace = " \t\n\v\f\r"

// Trim returns text without ASCII whitespace at both ends. Unicode's other
// spaces stay.
func Trim(text string) string { return strings.Trim(text, asciiSpace) }

// Ghost is the login of an account that GitHub no longer has (GH-3).
const Ghost = "ghost"

// ParseName returns text, trimmed, as the name of a repository or of its owner
// (GH-1). The error is Invalid and names the text and the offending character
// (GH-2).
func ParseName(text string) (string, error) {
	name := Trim(text)
	switch name {
	case "":
		return "", invalid("name %q is empty", text)
	case ".", "..":
		return "", invalid("name %q is not allowed", text)
	}
	for _, c := range name {
		if !nameChar(c) {
			return "", invalid("name %q: character %q is none of letters, digits, '-', '_' and '.'", text, c)
		}
	}
	return name, nil
}

func nameChar(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.", c)
}

// ParseLogin returns text, trimmed, as the login of an account that is only
// data: any text without control characters that is not empty, such as
// "dependabot[bot]" (GH-3). The error is Invalid.
func ParseLogin(text string) (string, error) {
	login := Trim(text)
	if login == "" {
		return "", invalid("login is empty")
	}
	for _, c := range login {
		if c < ' ' || 0x7f <= c && c < 0xa0 {
			return "", invalid("login %q: control character %q", text, c)
		}
	}
	return login, nil
}

// A Repo names a repository. It is a value to be compared with == (GH-4).
type Repo struct {
	User string // the owner, a person or an organisation
	Name string
}

// ParseRepo reads "user/name" (GH-6). The error is Invalid and says what is
// wrong with which part.
func ParseRepo(text string) (Repo, error) {
	user, name, ok := strings.Cut(text, "/")
	if !ok || strings.Contains(name, "/") {
		return Repo{}, invalid("%q is not a repository: write it as user/name", text)
	}
	u, err := ParseName(user)
	if err != nil {
		return Repo{}, fmt.Errorf("%q is not a repository: %w", text, err)
	}
	n, err := ParseName(name)
	if err != nil {
		return Repo{}, fmt.Errorf("%q is not a repository: %w", text, err)
	}
	return Repo{u, n}, nil
}

// String returns "user/name".
func (r Repo) String() string { return r.User + "/" + r.Name }

// Compare orders repositories by user, then by name, byte by byte.
func (r Repo) Compare(s Repo) int {
	return cmp.Or(strings.Compare(r.User, s.User), strings.Compare(r.Name, s.Name))
}

func invalid(format string, args ...any) error {
	return &datakit.Error{Kind: datakit.Invalid, Err: fmt.Errorf(format, args...)}
}
