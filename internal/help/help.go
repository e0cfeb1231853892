// Package help is how commands explain themselves: on the screen and in manual
// pages, both made from what cobra knows of them.
package help

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Width is how many columns the text has.
const Width = 79

// Prepare has a command, and those below it, print options in lines that are
// not too long.
func Prepare(cmd *cobra.Command) {
	cobra.AddTemplateFunc("wrapped", Options)
	t := cmd.UsageTemplate()
	for _, flags := range []string{".LocalFlags", ".InheritedFlags"} {
		t = strings.ReplaceAll(t, flags+".FlagUsages | trimTrailingWhitespaces", flags+" | wrapped")
	}
	cmd.SetUsageTemplate(t)
}

// Options returns what options mean, in lines of Width columns.
func Options(f *pflag.FlagSet) string {
	return strings.TrimRight(f.FlagUsagesWrapped(Width), "\n ")
}
