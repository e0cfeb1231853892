package datakit

import "testing"

func TestFS65_TreeIDText(t *testing.T) {
	for text, want := range map[string]TreeID{
		"D-" + digits: {Dir, EmptyTree},
		"F-" + digits: {Normal, EmptyTree},
		"X-" + digits: {Executable, EmptyTree},
		"L-" + digits: {Symlink, EmptyTree},
	} {
		id, err := ParseTreeID(text)
		if id != want || err != nil {
			t.Errorf("ParseTreeID(%q) = %v, %v, want %v", text, id, err, want)
		}
		if got := want.String(); got != text {
			t.Errorf("%#v as text is %q, want %q", want, got, text)
		}
	}
	if got := (TreeID{}).String(); got != "" {
		t.Errorf("the TreeID of nothing is %q, want the empty text", got)
	}
}

func TestCL26_TreeIDOfDigits(t *testing.T) {
	if id, err := ParseTreeID(digits); id != (TreeID{Dir, EmptyTree}) || err != nil {
		t.Errorf("ParseTreeID(%q) = %v, %v, want a directory", digits, id, err)
	}
}

func TestFS65_TreeIDRefuses(t *testing.T) {
	for _, text := range []string{"", "D-", "D", "D-" + digits[1:], "S-" + digits, "--" + digits, "d-" + digits, "D-" + digits + "0", "D" + digits, "hello"} {
		if id, err := ParseTreeID(text); KindOf(err) != Invalid || err == nil {
			t.Errorf("ParseTreeID(%q) = %v, %v, want kind %v", text, id, err, Invalid)
		}
	}
}

func TestEntryID(t *testing.T) {
	e := Entry{Name: "x", Mode: Executable, Hash: EmptyTree, Size: 7}
	if got, want := e.ID(), (TreeID{Executable, EmptyTree}); got != want {
		t.Errorf("ID() = %v, want %v", got, want)
	}
}

func TestModes(t *testing.T) {
	names := map[Mode]string{
		Absent: "absent", Normal: "normal", Executable: "executable",
		Symlink: "symlink", Dir: "directory", Submodule: "submodule",
	}
	for mode, name := range names {
		if got := mode.String(); got != name {
			t.Errorf("mode %d is called %q, want %q", uint8(mode), got, name)
		}
		if got, want := mode.IsFile(), mode == Normal || mode == Executable; got != want {
			t.Errorf("%v.IsFile() = %v", mode, got)
		}
	}
}

func FuzzParseTreeID(f *testing.F) {
	for _, seed := range []string{"", digits, "D-" + digits, "L-" + digits, "Q-" + digits, "D-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, err := ParseTreeID(text)
		if err != nil {
			return
		}
		if back, err := ParseTreeID(id.String()); back != id || err != nil {
			t.Fatalf("%q is %v, whose text %q is %v, %v", text, id, id.String(), back, err)
		}
	})
}
