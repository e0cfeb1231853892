package datakit

import (
	"fmt"
	"strings"
)

// MaxName is the length in bytes of the longest step that can be created.
const MaxName = 255

// CheckName reports with an error of kind Invalid that name cannot be given to
// an entry of a tree: it is empty, ".", "..", longer than MaxName, contains
// "/" or NUL, or is one of the spellings of ".git" that Git refuses
// (specification, FS-19).
func CheckName(name string) error {
	if isPlain(name) {
		return nil
	}
	if len(name) > MaxName {
		return invalid("File name too long")
	}
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") || isDotGit(name) {
		return invalid(fmt.Sprintf("Invalid name %q", name))
	}
	return nil
}

// isPlain reports that name is good without the need for a closer look, as most
// are: listings check each name.
func isPlain(name string) bool {
	if name == "" || len(name) > MaxName {
		return false
	}
	switch c := name[0]; {
	case c == '.', c == 'g', c == 'G', c >= 0x80:
		return false
	}
	for i := range len(name) {
		switch name[i] {
		case 0, '/', '\\', ':':
			return false
		}
	}
	return true
}

// isDotGit reports whether some file system takes name for ".git": by ignoring
// case, as NTFS's short name or alternate stream, with the trailing dots and
// spaces that NTFS drops, or with the invisible characters that HFS+ ignores.
// The rules are those of git's verify_path and of git-fsck's "hasDotgit".
func isDotGit(name string) bool {
	if isNTFSDotGit(name) {
		return true
	}
	if len(name) < len(".git") || name[0] < 0x80 && name[0] != '.' {
		return false
	}
	visible := strings.Map(func(r rune) rune {
		if isHFSIgnored(r) {
			return -1
		}
		return r
	}, name)
	return strings.EqualFold(visible, ".git")
}

func isNTFSDotGit(name string) bool {
	for start := 0; start <= len(name); {
		part := name[start:]
		end := strings.IndexAny(part, "\\:")
		if end < 0 {
			end = len(part)
		}
		bare := strings.TrimRight(part[:end], ". ")
		if asciiEqualFold(bare, ".git") || asciiEqualFold(bare, "git~1") {
			return true
		}
		if end == len(part) || part[end] == ':' {
			return false
		}
		start += end + 1
	}
	return false
}

func asciiEqualFold(s, lower string) bool {
	return len(s) == len(lower) && strings.EqualFold(s, lower) && s[0] < 0x80
}

// isHFSIgnored reports whether HFS+ leaves r out when it compares names.
func isHFSIgnored(r rune) bool {
	switch {
	case r >= 0x200c && r <= 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x206a && r <= 0x206f, r == 0xfeff:
		return true
	}
	return false
}

// CheckBranch reports with an error of kind Invalid that refs/heads/name would
// not be a valid Git reference, by the rules of git check-ref-format.
func CheckBranch(name string) error {
	if validBranch(name) {
		return nil
	}
	return invalid(name + " is not a valid branch name.")
}

func validBranch(name string) bool {
	if name == "" || strings.HasSuffix(name, ".") || strings.Contains(name, "..") || strings.Contains(name, "@{") {
		return false
	}
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c == 0x7f || strings.IndexByte(`~^:?*[\`, c) >= 0 {
			return false
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	return true
}
