package shell

import (
	"os/exec"
	"testing"
)

func TestWord(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"/mnt/a-b_1.x": "/mnt/a-b_1.x",
		"":             "''",
		"a b":          "'a b'",
		"it's":         `'it'\''s'`,
		"a!":           `'a'\!''`,
		"~":            "'~'",
		"$(x);\n*\\é":  "'$(x);\n*\\é'",
	} {
		if got := Word(s); got != want {
			t.Errorf("Word(%q) = %q, want %q", s, got, want)
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+Word(s)).Output()
		if err != nil || string(out) != s {
			t.Errorf("sh reads %q as %q, error %v", s, out, err)
		}
	}
}
