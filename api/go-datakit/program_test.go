package datakit_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	contract "github.com/datakit/datakit"
	datakit "github.com/datakit/datakit/api/go-datakit"
)

// ported is what becomes of a program for the original bindings: the import path
// is another, and the modes of Open are those of the package (specification of
// the client, section 8).
var ported = strings.NewReplacer(
	"github.com/moby/datakit/api/go-datakit", "github.com/datakit/datakit/api/go-datakit",
	"\tp9p \"github.com/docker/go-p9p\"\n", "",
	"p9p.ORDWR", "datakit.ORDWR",
)

// TestCL60_ProgramForTheOriginal builds a program that was written for the
// original bindings, and runs it as a process of its own.
func TestCL60_ProgramForTheOriginal(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*testTimeout) // most of it to build
	defer cancel()
	text, err := os.ReadFile("testdata/program.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	source, program := filepath.Join(t.TempDir(), "main.go"), filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(source, []byte(ported.Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	e := newEnv(t, datakit.Options{})
	err = e.db.Branch("master").Update(ctx, "set", func(tx *contract.Tx) error {
		if err := tx.MkdirAll(ctx, "com.docker.driver.amd64-linux"); err != nil {
			return err
		}
		return tx.WriteFile(ctx, "com.docker.driver.amd64-linux/ncpu", []byte("4\n"))
	})
	if err != nil {
		t.Fatal(err)
	}
	run := exec.CommandContext(ctx, program, "tcp", e.addr)
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("the program: %v\n%s", err, out)
	}
	for _, line := range []string{
		"ncpu 4 memory 2G swarm false proxy false", "memory 4G, ncpu has changed: false",
		"a/b/c has 100000 bytes", "today: sunshine",
	} {
		if !strings.Contains(string(out), line+"\n") {
			t.Errorf("the program does not print %q:\n%s", line, out)
		}
	}
}
