package help

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestProse(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("seven77 ", 10) // 80 columns
	for _, tt := range []struct{ text, want string }{
		{"one\ntwo\n\nthree", "one two\n\nthree"},
		{"list:\n  a\n  b", "list:\n  a\n  b"},
		{"  as it\n  is", "as it\n  is"},
		{long, strings.Repeat("seven77 ", 9) + "seven77"},
		{long + "more", strings.Repeat("seven77 ", 9) + "seven77\nmore"},
		{strings.Repeat("x", 100), strings.Repeat("x", 100)},
	} {
		if got := prose(tt.text); got != tt.want {
			t.Errorf("%q becomes %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestPageEscapes: nothing of a text is taken for a request of roff.
func TestPageEscapes(t *testing.T) {
	t.Parallel()
	root := &cobra.Command{Use: "x", Short: "Do", Long: "Do.\n\n.SH what's \\told \"so\"\n'br\n\n  as - it\n  is"}
	got := page(root)
	for _, want := range []string{"\n\\&.SH what\\(aqs \\etold \"so\"\n\\(aqbr\n", ".nf\n  as \\- it\n  is\n.fi\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q has no %q", got, want)
		}
	}
}
