package help

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// WriteMan writes a page of section 1 of the manual for cmd and for each
// command below it into dir, which is made if it does not exist. Equal commands
// make equal pages.
func WriteMan(cmd *cobra.Command, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, c := range pages(cmd) {
		name := pageName(c) + ".1"
		if err := os.WriteFile(filepath.Join(dir, name), []byte(page(c)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// pages returns the commands that have a page: all that a user is shown.
func pages(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			all = append(all, pages(sub)...)
		}
	}
	return all
}

// pageName returns the name of a command's page, such as datakit-branch-list.
func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// page returns the manual page of a command, in the macros of man(7).
func page(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag() // which else is there only after a run
	var m manual
	m.macro("TH", strings.ToUpper(pageName(cmd)), "1", "", cmd.Root().Name()+" "+cmd.Root().Version, "DataKit Manual")
	m.section("NAME")
	m.text(pageName(cmd) + " - " + cmd.Short)
	m.section("SYNOPSIS")
	m.macro("B", cmd.UseLine())
	m.section("DESCRIPTION")
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	m.prose(long)
	if subs := pages(cmd)[1:]; len(subs) > 0 {
		m.section("COMMANDS")
		for _, sub := range subs {
			if sub.Parent() == cmd {
				m.item(sub.UseLine(), sub.Short)
			}
		}
	}
	if cmd.HasAvailableLocalFlags() {
		m.section("OPTIONS")
		m.verbatim(options(cmd.LocalFlags()))
	}
	if cmd.Example != "" {
		m.section("EXAMPLES")
		m.verbatim(cmd.Example)
	}
	if refs := related(cmd); len(refs) > 0 {
		m.section("SEE ALSO")
		m.text(strings.Join(refs, ", "))
	}
	return m.String()
}

// related returns the pages above and directly below that of a command.
func related(cmd *cobra.Command) (refs []string) {
	if p := cmd.Parent(); p != nil {
		refs = append(refs, pageName(p)+"(1)")
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			refs = append(refs, pageName(sub)+"(1)")
		}
	}
	return refs
}

// A manual is the source of a page.
type manual struct{ strings.Builder }

// escaper writes text so that roff prints it as it is.
var escaper = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", "\\`", "^", `\(ha`, "~", `\(ti`)

// macro writes a request with its arguments.
func (m *manual) macro(name string, args ...string) {
	m.WriteString("." + name)
	for _, arg := range args {
		fmt.Fprintf(m, ` "%s"`, strings.ReplaceAll(escaper.Replace(arg), `"`, `\(dq`))
	}
	m.WriteByte('\n')
}

func (m *manual) section(title string) { m.macro("SH", title) }

// text writes lines, none of which is taken for a request.
func (m *manual) text(s string) {
	for line := range strings.Lines(s) {
		if strings.HasPrefix(line, ".") {
			m.WriteString(`\&`)
		}
		m.WriteString(escaper.Replace(strings.TrimRight(line, "\n")) + "\n")
	}
}

// prose writes paragraphs, as the function prose does.
func (m *manual) prose(s string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(s), "\n\n") {
		switch {
		case verbatim(paragraph):
			m.verbatim(paragraph)
			continue
		case i > 0:
			m.macro("PP")
		}
		m.text(strings.TrimSpace(paragraph))
	}
}

// verbatim writes lines that are not filled.
func (m *manual) verbatim(s string) {
	m.macro("PP")
	m.macro("nf")
	m.text(strings.Trim(s, "\n"))
	m.macro("fi")
}

func (m *manual) item(name, meaning string) {
	m.macro("TP")
	m.macro("B", name)
	m.text(meaning)
}
