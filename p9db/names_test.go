package p9db

import (
	"errors"
	"strconv"
	"testing"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/p9"
	"github.com/datakit/datakit/vfs"
)

// TestCL31_RandomNames: names of transactions have 63 random bits.
func TestCL31_RandomNames(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	var bits uint64
	for range 1000 {
		name := randomName()
		n, err := strconv.ParseUint(name, 10, 63)
		if err != nil || seen[name] {
			t.Fatalf("name %q, error %v, seen before: %t", name, err, seen[name])
		}
		seen[name] = true
		bits |= n
	}
	if bits != 1<<63-1 {
		t.Errorf("bits %b are ever set, want 63", bits)
	}
}

// TestCL13_KindsOfNumbers: where a number is all that arrives, it and the
// operation tell the kind; where there is a text, that does.
func TestCL13_KindsOfNumbers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  p9.Error
		busy datakit.Kind
		want datakit.Kind
	}{
		{p9.Error{Errno: vfs.ENOENT}, datakit.IO, datakit.NotExist},
		{p9.Error{Errno: vfs.EEXIST}, datakit.IO, datakit.Exist},
		{p9.Error{Errno: vfs.ENOTDIR}, datakit.IO, datakit.NotDir},
		{p9.Error{Errno: vfs.EISDIR}, datakit.IO, datakit.IsDir},
		{p9.Error{Errno: vfs.EBUSY}, datakit.Conflict, datakit.Conflict},
		{p9.Error{Errno: vfs.EBUSY}, datakit.Unresolved, datakit.Unresolved},
		{p9.Error{Errno: vfs.EBUSY}, datakit.NotFastForward, datakit.NotFastForward},
		{p9.Error{Errno: vfs.EINVAL}, datakit.IO, datakit.Invalid},
		{p9.Error{Errno: 999}, datakit.IO, datakit.IO},
		{p9.Error{Text: "No such file or directory", Errno: vfs.EEXIST}, datakit.IO, datakit.NotExist},
		{p9.Error{Text: "not-fast-forward"}, datakit.IO, datakit.NotFastForward},
		{p9.Error{Text: "conflicts file is not empty", Errno: vfs.EBUSY}, datakit.Conflict, datakit.Unresolved},
		{p9.Error{Text: "Merge conflict: f: Changed on both branches"}, datakit.IO, datakit.Conflict},
		{p9.Error{Text: "something else"}, datakit.IO, datakit.IO},
	} {
		if err := WithKind(&tt.err, tt.busy); datakit.KindOf(err) != tt.want {
			t.Errorf("%+v: error %v of kind %v, want %v", tt.err, err, datakit.KindOf(err), tt.want)
		}
	}
	if err := WithKind(nil, datakit.IO); err != nil || errors.Is(err, datakit.IO) {
		t.Errorf("no error has become %v", err)
	}
}
