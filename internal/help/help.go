// Package help is how commands explain themselves: on the screen and in manual
// pages, both made from what cobra knows of them.
package help

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// width is how many columns the text has at most.
const width = 79

// addFuncs gives cobra's templates what those of Prepare use. Cobra keeps the
// functions in a variable of its own, without a lock.
var addFuncs = sync.OnceFunc(func() {
	cobra.AddTemplateFuncs(map[string]any{"options": options, "prose": prose})
})

// Prepare has a command, and those below it, explain themselves in lines of at
// most 79 columns. It may be called for several commands at once.
func Prepare(cmd *cobra.Command) {
	addFuncs()
	usage := cmd.UsageTemplate()
	for _, flags := range []string{".LocalFlags", ".InheritedFlags"} {
		usage = strings.ReplaceAll(usage, flags+".FlagUsages | trimTrailingWhitespaces", flags+" | options")
	}
	cmd.SetUsageTemplate(usage)
	cmd.SetHelpTemplate(strings.ReplaceAll(cmd.HelpTemplate(), ". | trimTrailingWhitespaces", ". | prose"))
}

// options returns what options mean.
func options(f *pflag.FlagSet) string {
	return strings.TrimRight(f.FlagUsagesWrapped(width), "\n ")
}

// prose fills the lines of paragraphs, which empty lines part. Those that have a
// line that begins with a blank are left as they are.
func prose(text string) string {
	paragraphs := strings.Split(strings.TrimSpace(text), "\n\n")
	for i, p := range paragraphs {
		if !verbatim(p) {
			paragraphs[i] = fill(p)
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

func verbatim(paragraph string) bool {
	return strings.HasPrefix(paragraph, " ") || strings.Contains(paragraph, "\n ")
}

// fill returns the words of a paragraph in lines as long as can be.
func fill(paragraph string) string {
	var b strings.Builder
	used := 0
	for word := range strings.FieldsSeq(paragraph) {
		n := utf8.RuneCountInString(word)
		switch {
		case used == 0:
		case used+1+n > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return b.String()
}
