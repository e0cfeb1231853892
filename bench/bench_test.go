package main

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestEachBenchmarkRuns runs every benchmark at a tiny size. What they measure
// does not count, except where it is a number of things and not a time.
func TestEachBenchmarkRuns(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	e, err := newEnv(t.Context(), t.TempDir(), tiny)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	for _, b := range benchmarks {
		t.Run(b.name, func(t *testing.T) {
			rows, err := measure(e, regexp.MustCompile("^"+b.name+"$"))
			if err != nil {
				t.Fatal(err)
			}
			if len(rows) == 0 {
				t.Error("no figures")
			}
			for _, r := range rows {
				if counts := r.unit == "commits" || r.unit == "objects" || r.unit == "trees" || r.unit == "requests" || r.unit == "calls each"; counts && r.verdict() != "ok" {
					t.Errorf("%s: %v, want %s (%s)", r.name, r.ours, r.goal.text, r.note)
				}
			}
		})
	}
}

// TestPrintTable shows a row with and one without an alternative.
func TestPrintTable(t *testing.T) {
	var b strings.Builder
	printTable(&b, []row{
		{name: "speed", unit: "1/s", ours: 1234.5, alt: 100, altName: "other", goal: times(5)},
		{name: "memory", unit: "MiB", ours: 12.34, goal: atMost(10), note: "why"},
	})
	want := `FIGURE  UNIT  OURS  ALTERNATIVE  RATIO  TARGET  RESULT  NOTE
speed   1/s   1234  100 other    12.3×  ≥ 5×    ok
memory  MiB   12.3  –            –      ≤ 10    MISSED  why
`
	if b.String() != want {
		t.Errorf("table is\n%s\nwant\n%s", b.String(), want)
	}
}

func TestPercentile(t *testing.T) {
	vs := []float64{5, 1, 4, 2, 3}
	for _, tt := range []struct {
		p    int
		want float64
	}{{0, 1}, {50, 3}, {99, 5}, {100, 5}} {
		if got := percentile(vs, tt.p); got != tt.want {
			t.Errorf("percentile(%v, %d) = %v, want %v", vs, tt.p, got, tt.want)
		}
	}
	if got := percentile(nil, 50); got != 0 {
		t.Errorf("percentile of nothing = %v, want 0", got)
	}
}
