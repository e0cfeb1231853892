package datakit

import (
	"os/exec"
	"strings"
	"testing"
)

func TestFS19_CheckName(t *testing.T) {
	for _, name := range []string{
		"a", "...", " ", "a b", "*", "a*+b", `\`, ".gitignore", ".gitmodules", "git", "git~2", ".git2", ".gi",
		".git_", "x.git", "caf\xe9", "été", "\xff\xfe", "-rf", "con", "a:b", strings.Repeat("n", MaxName),
	} {
		if err := CheckName(name); err != nil {
			t.Errorf("CheckName(%q): %v, want it to be allowed", name, err)
		}
	}
}

func TestFS19_CheckNameRefuses(t *testing.T) {
	for _, name := range []string{
		"", ".", "..", "a/b", "/", "a\x00", "\x00",
		".git", ".GIT", ".Git", "git~1", "GIT~1", // in any case, and NTFS's short name
		".git ", ".git.", ".git . .", ".git::$INDEX_ALLOCATION", ".git:x", "git~1.", // what NTFS takes for it
		`a\.git`, `.git\a`, // as Windows reads a backslash
		".g\u200cit", "\u200d.git", ".git\ufeff", ".\u206aGiT", // what HFS+ takes for it
	} {
		err := CheckName(name)
		if want := "Invalid name"; KindOf(err) != Invalid || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckName(%q): %v, want %s", name, err, want)
		}
	}
}

func TestFS19_CheckNameTooLong(t *testing.T) {
	for _, name := range []string{strings.Repeat("n", MaxName+1), strings.Repeat("é", MaxName/2+1)} {
		err := CheckName(name)
		if want := "File name too long"; KindOf(err) != Invalid || err == nil || err.Error() != want {
			t.Errorf("CheckName of %d bytes: %v, want %s", len(name), err, want)
		}
	}
}

var branchNames = []struct {
	name string
	ok   bool
}{
	{"master", true}, {"feature/x", true}, {"a/b/c", true}, {"a-b_c.d", true}, {"-a", true}, {"@", true},
	{"a@b", true}, {"{", true}, {"é", true}, {"\xff", true}, {"%2F", true}, {"a.lockx", true}, {"!#$&'()", true},
	{"HEAD", true}, {"a.locks/b", true},
	{"", false}, {"/", false}, {"/a", false}, {"a/", false}, {"a//b", false}, {".", false}, {".a", false},
	{"a/.b", false}, {"a.", false}, {"a..b", false}, {"a.lock", false}, {"a.lock/b", false}, {"a@{1}", false},
	{"a b", false}, {"a\tb", false}, {"a\nb", false}, {"a\x7f", false}, {"a\x00b", false}, {"a~", false},
	{"a^", false}, {"a:b", false}, {"a?", false}, {"a*", false}, {"[a", false}, {`a\b`, false},
}

func TestFS27_CheckBranch(t *testing.T) {
	for _, tt := range branchNames {
		err := CheckBranch(tt.name)
		if (err == nil) != tt.ok {
			t.Errorf("CheckBranch(%q): %v, want it to be valid: %v", tt.name, err, tt.ok)
		}
		if want := tt.name + " is not a valid branch name."; err != nil && (KindOf(err) != Invalid || err.Error() != want) {
			t.Errorf("CheckBranch(%q): %v, want %s", tt.name, err, want)
		}
	}
}

// TestFS27_CheckBranchAsGit asks git itself about each of the names.
func TestFS27_CheckBranchAsGit(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	for _, tt := range branchNames {
		if strings.ContainsRune(tt.name, 0) {
			continue // cannot be an argument
		}
		if err := exec.Command(git, "check-ref-format", "refs/heads/"+tt.name).Run(); (err == nil) != tt.ok {
			t.Errorf("git check-ref-format of %q: %v, but the table says %v", tt.name, err, tt.ok)
		}
	}
}

func FuzzCheckBranch(f *testing.F) {
	for _, tt := range branchNames {
		f.Add(tt.name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if CheckBranch(name) != nil {
			return
		}
		for part := range strings.SplitSeq(name, "/") {
			if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") || strings.ContainsAny(part, "~^:?*[\\ \x7f") {
				t.Fatalf("CheckBranch allows %q", name)
			}
		}
	})
}

func FuzzCheckName(f *testing.F) {
	for _, seed := range []string{"a", ".git", ".GIT ", "git~1", ".g\u200cit", "a/b", "..", "\xff", `x\.git`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if CheckName(name) != nil {
			return
		}
		if p, err := NewPath(name); err != nil || p.Base() != name {
			t.Fatalf("CheckName allows %q, which is no path of one step: %v", name, err)
		}
		if strings.EqualFold(name, ".git") || len(name) > MaxName {
			t.Fatalf("CheckName allows %q", name)
		}
	})
}
