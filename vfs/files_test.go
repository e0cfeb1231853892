package vfs

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

const negative = 1<<64 - 1

func TestFS38_ReadRange(t *testing.T) {
	t.Parallel()
	text := &Buffer{}
	text.Set("AB1st")
	content := func(context.Context) ([]byte, error) { return []byte("AB1st"), nil }
	for name, n := range map[string]Node{
		"static": &Static{FileBase: fileBase("f"), Content: "AB1st"},
		"status": &Status{FileBase: fileBase("f"), Content: content},
		"text":   &Text{FileBase: fileBase("f"), Buffer: text},
		"level":  &Level{FileBase: fileBase("f"), Value: func() string { return "AB1s" }},
	} {
		t.Run(name, func(t *testing.T) {
			f := mustOpen(t, n, OpenFlags{})
			want := "AB1st"
			if name == "level" {
				want = "AB1s\n"
			}
			readAt(t, f, 2, 0, "")
			readAt(t, f, 2, 2, want[2:4])
			readAt(t, f, 2, 4, want[2:])
			readAt(t, f, 5, 4, "")
			readFails(t, f, 6, PastEnd(6, 5))
			readFails(t, f, negative, NegativeOffset(negative))
			if size(t, n) != 5 {
				t.Errorf("size %d, want 5", size(t, n))
			}
		})
	}
}

func TestFS163_NegativeOffset(t *testing.T) {
	t.Parallel()
	if got := NegativeOffset(negative).Text; got != "Negative offset -1" {
		t.Errorf("NegativeOffset = %q", got)
	}
	f := mustOpen(t, &Text{FileBase: fileBase("f"), Buffer: new(Buffer)}, OpenFlags{})
	fails(t, f.WriteAt(t.Context(), []byte("x"), negative), NegativeOffset(negative))
	f = mustOpen(t, &Static{FileBase: fileBase("f")}, OpenFlags{})
	fails(t, f.WriteAt(t.Context(), []byte("x"), negative), NegativeOffset(negative))
}

func TestStatic_RefusesChanges(t *testing.T) {
	t.Parallel()
	n := &Static{FileBase: fileBase("f"), Content: "x"}
	ctx := t.Context()
	fails(t, n.SetLength(ctx, 0), ErrReadOnly)
	fails(t, n.Chmod(ctx, Mode{Perm: 0o644}), ErrReadOnly)
	fails(t, n.Chmod(ctx, Mode{Dir: true}), ErrDirFlag)
	fails(t, n.Remove(ctx, false), ErrReadOnly)
	fails(t, mustOpen(t, n, OpenFlags{}).WriteAt(ctx, []byte("x"), 0), ErrReadOnly)
	_, err := n.Open(ctx, OpenFlags{RemoveOnClose: true})
	fails(t, err, ErrPermission)
}

func TestFS40_FS86_StatusKeepsContent(t *testing.T) {
	t.Parallel()
	count := 0
	n := &Status{FileBase: fileBase("f"), Content: func(context.Context) ([]byte, error) {
		count++
		return []byte(strings.Repeat("x", count)), nil
	}}
	f := mustOpen(t, n, OpenFlags{})
	readAt(t, f, 0, 10, "x")
	if got := size(t, n); got != 2 {
		t.Errorf("size %d, want 2, as if opened now", got)
	}
	readAt(t, f, 0, 10, "x")
	readAt(t, f, 1, 10, "")
	fails(t, f.WriteAt(t.Context(), []byte("y"), 0), ErrReadOnly)
}

func TestFS103_LiveStatus(t *testing.T) {
	t.Parallel()
	content := "old"
	n := &Status{FileBase: fileBase("f"), Live: true, Content: func(context.Context) ([]byte, error) {
		return []byte(content), nil
	}}
	f := mustOpen(t, n, OpenFlags{})
	readAt(t, f, 0, 10, "old")
	content = "newer"
	readAt(t, f, 1, 10, "ld")
	readAt(t, f, 0, 10, "newer")
	readAt(t, f, 1, 10, "ewer")
	if size(t, n) != 5 {
		t.Errorf("size %d, want 5", size(t, n))
	}
}

func TestFS39_Text(t *testing.T) {
	t.Parallel()
	b := new(Buffer)
	n := &Text{FileBase: fileBase("f"), Buffer: b}
	f := mustOpen(t, n, OpenFlags{})
	for _, tt := range []struct {
		off        uint64
		text, want string
	}{
		{0, "hello", "hello"},
		{0, "hi", "hillo"},
		{1, "E", "hEllo"},
		{4, "0!", "hEll0!"},
		{8, "x", "hEll0!\x00\x00x"},
		{20, "", "hEll0!\x00\x00x"},
	} {
		write(t, f, tt.off, tt.text)
		if b.String() != tt.want {
			t.Fatalf("after writing %q at %d: %q, want %q", tt.text, tt.off, b, tt.want)
		}
	}
	for _, tt := range []struct {
		length uint64
		want   string
	}{{4, "hEll"}, {4, "hEll"}, {6, "hEll\x00\x00"}, {0, ""}} {
		fails(t, n.SetLength(t.Context(), tt.length), nil)
		if b.String() != tt.want {
			t.Fatalf("after setting length %d: %q, want %q", tt.length, b, tt.want)
		}
	}
}

func TestFS39_TextRegrows(t *testing.T) {
	t.Parallel()
	b := new(Buffer)
	n := &Text{FileBase: fileBase("f"), Buffer: b}
	f := mustOpen(t, n, OpenFlags{})
	write(t, f, 0, "secret")
	fails(t, n.SetLength(t.Context(), 1), nil)
	write(t, f, 4, "x")
	if b.String() != "s\x00\x00\x00x" {
		t.Errorf("content %q: what was cut off is back", b)
	}
}

func TestFS157_TextAppend(t *testing.T) {
	t.Parallel()
	b := new(Buffer)
	f := mustOpen(t, &Text{FileBase: fileBase("f"), Buffer: b}, OpenFlags{Append: true})
	write(t, f, 0, "one")
	write(t, f, 0, "two")
	write(t, f, 99, "three")
	if b.String() != "onetwothree" {
		t.Errorf("content %q", b)
	}
}

func TestText_TooBig(t *testing.T) {
	t.Parallel()
	b := new(Buffer)
	n := &Text{FileBase: fileBase("f"), Buffer: b}
	f := mustOpen(t, n, OpenFlags{})
	fails(t, f.WriteAt(t.Context(), []byte("x"), 1<<40), ErrTooBig)
	fails(t, f.WriteAt(t.Context(), []byte("x"), MaxText), ErrTooBig)
	fails(t, n.SetLength(t.Context(), MaxText+1), ErrTooBig)
	fails(t, n.SetLength(t.Context(), negative), NegativeOffset(negative))
	if b.Len() != 0 {
		t.Errorf("length %d after failures, want 0", b.Len())
	}
	fails(t, f.WriteAt(t.Context(), []byte("x"), MaxText-1), nil)
}

func TestSpecialModes(t *testing.T) {
	t.Parallel()
	run := func(context.Context, string) (string, error) { return "", nil }
	for name, n := range map[string]Node{
		"text":    &Text{FileBase: fileBase("f"), Buffer: new(Buffer)},
		"command": &Command{FileBase: fileBase("f"), Run: run},
	} {
		fails(t, n.Chmod(t.Context(), Mode{Perm: 0o600}), nil)
		for _, m := range []Mode{{Perm: 0o700}, {Symlink: true, Target: "x"}} {
			if err := n.Chmod(t.Context(), m); err != ErrSpecialMode {
				t.Errorf("%s: chmod to %+v: %v", name, m, err)
			}
		}
		fails(t, n.Chmod(t.Context(), Mode{Dir: true}), ErrDirFlag)
	}
}

func TestFS72_Level(t *testing.T) {
	t.Parallel()
	level := "quiet"
	n := &Level{
		FileBase: fileBase("level"),
		Value:    func() string { return level },
		Set: func(s string) error {
			if s == "bad" {
				return Errorf(EINVAL, "%q", s)
			}
			level = s
			return nil
		},
	}
	f := mustOpen(t, n, OpenFlags{})
	write(t, f, 0, "info\n")
	readAt(t, f, 0, 100, "info\n")
	write(t, f, 77, " \t debug ")
	readAt(t, f, 0, 100, "debug\n")
	write(t, f, 0, "")
	readAt(t, f, 0, 100, "debug\n")
	fails(t, f.WriteAt(t.Context(), []byte("bad"), 0), Errorf(EINVAL, `"bad"`))
	fails(t, n.SetLength(t.Context(), 77), nil)
	fails(t, n.Chmod(t.Context(), Mode{Perm: 0o644}), ErrPermission)
	fails(t, n.Remove(t.Context(), false), ErrPermission)
	if size(t, n) != 6 {
		t.Errorf("size %d, want 6", size(t, n))
	}
}

func TestFS87_FS88_CommandResults(t *testing.T) {
	t.Parallel()
	var got []string
	n := &Command{FileBase: fileBase("cmd"), Result: new(Result), Run: func(_ context.Context, c string) (string, error) {
		got = append(got, c)
		if c == "bad" {
			return "", ErrInvalid
		}
		return "did " + c, nil
	}}
	f := mustOpen(t, n, OpenFlags{})
	readAt(t, f, 0, 10, "")
	write(t, f, 0, " \t\n\v\f\rone two\n ")
	pos := uint64(len(" \t\n\v\f\rone two\n "))
	if size(t, n) != 11 {
		t.Errorf("size %d, want 11, the unread result", size(t, n))
	}
	readAt(t, f, pos, 3, "did")
	readAt(t, f, pos+3, 3, "")

	other := mustOpen(t, n, OpenFlags{})
	readAt(t, other, 0, 100, " one two") // read bytes are gone
	readAt(t, other, 8, 100, "")
	readAt(t, other, 8, 100, "")

	fails(t, other.WriteAt(t.Context(), []byte("bad"), 8), ErrInvalid)
	write(t, other, 8, "x") // a failure moves nothing
	readAt(t, f, pos+3, 100, "did x")
	if want := "one two,bad,x"; strings.Join(got, ",") != want {
		t.Errorf("commands %q, want %q", got, want)
	}
}

func TestFS89_CommandPosition(t *testing.T) {
	t.Parallel()
	n := &Command{FileBase: fileBase("cmd"), Result: new(Result), Run: func(context.Context, string) (string, error) {
		return "ok", nil
	}}
	f := mustOpen(t, n, OpenFlags{})
	readFails(t, f, 1, ErrSeek)
	fails(t, f.WriteAt(t.Context(), []byte("x"), 1), ErrSeek)
	write(t, f, 0, "x")
	readFails(t, f, 0, ErrSeek)
	readAt(t, f, 1, 0, "") // changes nothing
	readAt(t, f, 1, 1, "o")
	readAt(t, f, 2, 1, "")
	readAt(t, f, 2, 1, "k")
	readAt(t, f, 3, 1, "")
	readAt(t, f, 3, 1, "")
	write(t, f, 3, "y")
	readAt(t, f, 4, 9, "ok")
}

func TestFS90_CommandLength(t *testing.T) {
	t.Parallel()
	n := &Command{FileBase: fileBase("cmd"), Run: func(context.Context, string) (string, error) { return "", nil }}
	fails(t, n.SetLength(t.Context(), 0), nil)
	fails(t, n.SetLength(t.Context(), 1), ErrCommandLength)
	fails(t, n.Remove(t.Context(), false), ErrPermission)
	if size(t, n) != 0 {
		t.Errorf("size %d of a command without results", size(t, n))
	}
}

func TestFS223_ErrorTexts(t *testing.T) {
	t.Parallel()
	err := Errorf(EIO, "a\nb\rc%s", strings.Repeat("x", 5000))
	if strings.ContainsAny(err.Text, "\n\r") || len(err.Text) > MaxErrorText {
		t.Errorf("text of %d bytes: %.20q", len(err.Text), err.Text)
	}
	if got, want := Quote("a\"b\\c\n\x7fé"), `"a\"b\\c\x0a\x7f\xc3\xa9"`; got != want {
		t.Errorf("Quote = %s, want %s", got, want)
	}
	if got := AsError(fmt.Errorf("secret")); got != ErrInternal {
		t.Errorf("AsError of a foreign error = %v", got)
	}
}
