package datakit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

// TestCL12_Texts holds the texts against the table that clients rely on.
func TestCL12_Texts(t *testing.T) {
	for kind, want := range map[Kind]string{
		Exist:          "Already exists",
		NotExist:       "No such file or directory",
		IsDir:          "Is a directory",
		NotDir:         "Not a directory",
		NotFile:        "Not a file",
		NotLink:        "Not a symlink",
		Closed:         "Transaction is closed",
		Unresolved:     "conflicts file is not empty",
		NotFastForward: "not-fast-forward",
		Aborted:        "Aborted",
		Locked:         "Locked by another program",
		NoSpace:        "No space left on device",
		Internal + 1:   "unknown error kind 18",
	} {
		if kind.Error() != want {
			t.Errorf("kind %d says %q, want %q", uint8(kind), kind.Error(), want)
		}
	}
}

func TestEveryKindHasATextOfItsOwn(t *testing.T) {
	seen := map[string]Kind{}
	for k := IO; k <= Internal; k++ {
		if text := k.Error(); text == "" || strings.HasPrefix(text, "unknown") {
			t.Errorf("kind %d has the text %q", uint8(k), text)
		}
		if other, dup := seen[k.Error()]; dup {
			t.Errorf("kinds %d and %d have the same text", other, k)
		}
		seen[k.Error()] = k
	}
}

func TestCL61_KindsAnswerToFSErrors(t *testing.T) {
	all := []error{fs.ErrExist, fs.ErrNotExist, fs.ErrClosed, fs.ErrInvalid, fs.ErrPermission}
	answers := map[Kind]error{Exist: fs.ErrExist, NotExist: fs.ErrNotExist, Closed: fs.ErrClosed, Invalid: fs.ErrInvalid}
	for k := IO; k <= Internal; k++ {
		for _, target := range all {
			want := answers[k] == target
			if got := errors.Is(k, target); got != want {
				t.Errorf("errors.Is(%v, %v) = %v", k, target, got)
			}
			wrapped := fmt.Errorf("around: %w", &Error{Op: "stat", Kind: k, Err: errors.New("cause")})
			if got := errors.Is(wrapped, target); got != want {
				t.Errorf("errors.Is(%v of kind %v, %v) = %v", wrapped, k, target, got)
			}
		}
	}
}

func TestCL14_ErrorText(t *testing.T) {
	for _, tt := range []struct {
		err  Error
		want string
	}{
		{Error{"read", "a/b", NotExist, nil}, "read a/b: No such file or directory"},
		{Error{"list branches", "", IO, errors.New("broken pipe")}, "list branches: broken pipe"},
		{Error{"", "", Invalid, nil}, "Invalid argument"},
		{Error{"commit", "master", Conflict, &MergeError{[]MergeConflict{{"a", "File vs dir"}}}}, "commit master: Merge conflict: a: File vs dir"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%#v says %q, want %q", tt.err, got, tt.want)
		}
	}
}

func TestErrorsHaveOneKind(t *testing.T) {
	cause := errors.New("cause")
	err := fmt.Errorf("around: %w", &Error{Op: "read", Kind: Internal, Err: cause})
	if !errors.Is(err, Internal) || !errors.Is(err, cause) || errors.Is(err, IO) || errors.Is(err, NotExist) {
		t.Errorf("%v is not exactly of kind %v", err, Internal)
	}
}

func TestKindOf(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want Kind
	}{
		{nil, IO},
		{errors.New("anything"), IO},
		{Conflict, Conflict},
		{fmt.Errorf("around: %w", Overflow), Overflow},
		{&Error{Kind: NotLink}, NotLink},
		{fmt.Errorf("around: %w", &Error{Kind: TooLarge, Err: NotExist}), TooLarge}, // the outermost counts
		{errors.Join(errors.New("other"), IsDir), IsDir},
		{fs.ErrNotExist, NotExist},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, NoSpace},
		{&fs.PathError{Op: "open", Path: "x", Err: fs.ErrExist}, Exist},
	} {
		if got := KindOf(tt.err); got != tt.want {
			t.Errorf("KindOf(%v) = %v, want %v", tt.err, got, tt.want)
		}
	}
}

// TestOpErrorKeepsContextErrors: callers compare these.
func TestOpErrorKeepsContextErrors(t *testing.T) {
	for _, err := range []error{nil, context.Canceled, context.DeadlineExceeded} {
		if got := opError("read", "x", err); got != err {
			t.Errorf("opError makes %v of %v", got, err)
		}
	}
	var e *Error
	if err := opError("read", "x", NotDir); !errors.As(err, &e) || e.Op != "read" || e.Subject != "x" || e.Kind != NotDir {
		t.Errorf("opError makes %#v of %v", err, NotDir)
	}
}

func TestFS122_MergeErrorText(t *testing.T) {
	one := MergeConflict{"dir/a", "Changed on both branches"}
	for _, tt := range []struct {
		conflicts []MergeConflict
		want      string
	}{
		{[]MergeConflict{one}, "Merge conflict: dir/a: Changed on both branches"},
		{[]MergeConflict{one, {"b", "File vs dir"}}, "Merge conflict: dir/a: Changed on both branches (and 1 more)"},
		{[]MergeConflict{one, {"b", ""}, {"c", ""}}, "Merge conflict: dir/a: Changed on both branches (and 2 more)"},
	} {
		if got := (&MergeError{tt.conflicts}).Error(); got != tt.want {
			t.Errorf("a MergeError of %d says %q, want %q", len(tt.conflicts), got, tt.want)
		}
	}
}

func TestFS29_BranchConflictErrorText(t *testing.T) {
	err := opError("begin", "a/b", &Error{Kind: Exist, Err: &BranchConflictError{"a"}})
	if want := `Branch name conflicts with "a"`; !strings.HasSuffix(err.Error(), want) || !errors.Is(err, Exist) {
		t.Errorf("%v of kind %v, want %s of kind %v", err, KindOf(err), want, Exist)
	}
}

func TestFS199_RedactedURLs(t *testing.T) {
	for in, want := range map[string]string{
		"https://user:secret@host/x.git": "https://user:xxxxx@host/x.git",
		"https://host/x.git":             "https://host/x.git",
		"/srv/state":                     "/srv/state",
		"user@host:path":                 "host:path",
		"https://u:secret@ho st/%zz":     "ho st/%zz",
	} {
		got := redact(in)
		if strings.Contains(got, "secret") || got != want {
			t.Errorf("redact(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFS205_SplitFragment(t *testing.T) {
	for _, tt := range []struct{ url, branch, wantURL, wantBranch string }{
		{"/srv/x", "master", "/srv/x", "master"},
		{"/srv/x#dev", "master", "/srv/x", "dev"},
		{"/srv/x#feature/y", "", "/srv/x", "feature/y"},
		{"/srv/a#b#c", "master", "/srv/a#b", "c"},
		{"/srv/x#", "master", "/srv/x#", "master"},
	} {
		url, branch := splitFragment(tt.url, tt.branch)
		if url != tt.wantURL || branch != tt.wantBranch {
			t.Errorf("splitFragment(%q, %q) = %q, %q, want %q, %q", tt.url, tt.branch, url, branch, tt.wantURL, tt.wantBranch)
		}
	}
}
