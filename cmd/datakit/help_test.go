package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// eachCommand calls f with all commands that users are shown.
func eachCommand(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			eachCommand(sub, f)
		}
	}
}

// TestHelpFitsTheScreen: the help of each command has lines of less than 80
// columns.
func TestHelpFitsTheScreen(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	eachCommand(rootCommand(io.Discard, io.Discard), func(cmd *cobra.Command) {
		b.Reset()
		cmd.SetOut(&b)
		if err := cmd.Help(); err != nil {
			t.Errorf("%s: %v", cmd.CommandPath(), err)
		}
		for line := range strings.Lines(b.String()) {
			if utf8.RuneCountInString(strings.TrimRight(line, "\n")) >= 80 {
				t.Errorf("%s --help: %s", cmd.CommandPath(), line)
			}
		}
	})
}

// TestManualPages: there is a page for each command, that of the same commands
// is the same, and groff has nothing to complain of.
func TestManualPages(t *testing.T) {
	t.Parallel()
	dirs := [2]string{filepath.Join(t.TempDir(), "new", "man1"), t.TempDir()}
	for _, dir := range dirs {
		if status := run(t.Context(), []string{"datakit", "man", dir}, io.Discard, os.Stderr); status != 0 {
			t.Fatalf("status %d", status)
		}
	}
	eachCommand(rootCommand(io.Discard, io.Discard), func(cmd *cobra.Command) {
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		page, err := os.ReadFile(filepath.Join(dirs[0], name))
		if err != nil {
			t.Error(err)
			return
		}
		if again, err := os.ReadFile(filepath.Join(dirs[1], name)); err != nil || !bytes.Equal(page, again) {
			t.Errorf("%s is not the same again, error %v", name, err)
		}
		for _, part := range []string{".TH ", "\n.SH \"NAME\"\n", "\n.SH \"SYNOPSIS\"\n", "\n.SH \"OPTIONS\"\n"} {
			if !bytes.Contains(page, []byte(part)) {
				t.Errorf("%s has no %q", name, part)
			}
		}
	})
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("groff is not installed")
	}
	files, err := filepath.Glob(filepath.Join(dirs[0], "*.1"))
	if err != nil {
		t.Fatal(err)
	}
	var complaints, text bytes.Buffer
	cmd := exec.CommandContext(t.Context(), groff, append([]string{"-man", "-Tutf8", "-ww"}, files...)...)
	cmd.Stdout, cmd.Stderr = &text, &complaints
	if err := cmd.Run(); err != nil || complaints.Len() > 0 {
		t.Errorf("groff: %v\n%s", err, complaints.String())
	}
	for _, want := range []string{"datakit put master:etc/ ./conf.d", `scale "$(datakit cat master:web/replicas)"`, "REV~N"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no page has %q", want)
		}
	}
}

// TestCompletionScripts: there is one for each shell, which the shell can read.
func TestCompletionScripts(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			var script bytes.Buffer
			if status := run(t.Context(), []string{"datakit", "completion", shell}, &script, os.Stderr); status != 0 || !strings.Contains(script.String(), "__complete") {
				t.Fatalf("status %d, script %q", status, script.String())
			}
			program, err := exec.LookPath(shell)
			if err != nil {
				t.Skip(shell + " is not installed")
			}
			cmd := exec.CommandContext(t.Context(), program, "-n")
			cmd.Stdin = &script
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestCompletionDoesNotWait: a server that does not answer does not keep the
// shell waiting.
func TestCompletionDoesNotWait(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel connects, and nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out bytes.Buffer
	args := []string{"datakit", "__complete", "branch", "delete", "--addr", "tcp://" + l.Addr().String(), ""}
	if status := run(ctx, args, &out, io.Discard); status != 0 || out.String() != ":4\n" || ctx.Err() != nil {
		t.Errorf("status %d, printed %q, %v", status, out.String(), ctx.Err())
	}
}
