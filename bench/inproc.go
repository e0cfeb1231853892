package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/datakit/datakit"
	"github.com/datakit/datakit/gitdb"
)

// inprocCommits measures durable commits through the contract beside the rate
// at which the disk takes blocks.
func inprocCommits(e *env) ([]row, error) {
	db, err := e.openNew("inproc")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	d, err := newDisk(e)
	if err != nil {
		return nil, err
	}
	defer d.f.Close()
	one := func(int) string { return "one" }
	shared := func(int) string { return "shared" }
	own := func(i int) string { return fmt.Sprintf("own/%d", i) }
	bare, err := newBare(e)
	if err != nil {
		return nil, err
	}
	m, err := interleave(e,
		func() (float64, error) { return d.rate(e.size.turn) },
		func() (float64, error) { return bare.rate(e.size.turn) },
		func() (float64, error) { return commitRate(e, db, 1, one) },
		func() (float64, error) { return commitRate(e, db, e.size.clients, shared) },
		func() (float64, error) { return commitRate(e, db, e.size.clients, own) })
	if err != nil {
		return nil, err
	}
	return []row{
		inprocRow("1 writer", m[2], m[0], 0.15),
		inprocRow(fmt.Sprintf("%d writers, 1 branch", e.size.clients), m[3], m[0], 0.5),
		inprocRow(fmt.Sprintf("%d writers, %[1]d branches", e.size.clients), m[4], m[0], 0.5),
		{name: "the same, 1 writer", unit: "1/s", ours: m[2], alt: m[1], altName: "bare files",
			note: "what the file system takes for the files of a commit, without one"},
	}, nil
}

func inprocRow(who string, ours, disk, target float64) row {
	return row{name: "durable commits, " + who, unit: "1/s", ours: ours, alt: disk,
		altName: "append+fdatasync", goal: times(target)}
}

// openNew opens a new database on disk.
func (e *env) openNew(name string) (*datakit.DB, error) {
	dir, err := e.temp(name)
	if err != nil {
		return nil, err
	}
	return gitdb.Open(filepath.Join(dir, "repo"), nil)
}

// commitRate returns how many commits a second n writers make in a turn.
func commitRate(e *env, db *datakit.DB, n int, branch func(i int) string) (float64, error) {
	counts := make([]int, n)
	start := time.Now()
	g, ctx := errgroup.WithContext(e.ctx)
	for i := range n {
		b := db.Branch(branch(i))
		g.Go(func() error {
			for time.Since(start) < e.size.turn {
				if err := commitFile(ctx, b, i, counts[i]); err != nil {
					return err
				}
				counts[i]++
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	total := 0
	for _, c := range counts {
		total += c
	}
	return float64(total) / time.Since(start).Seconds(), nil
}

// commitFile commits one file of 20 bytes at depth 3. No two writers write the
// same file.
func commitFile(ctx context.Context, b *datakit.Branch, writer, n int) error {
	dir := datakit.Path(fmt.Sprintf("w%02d/d%02d", writer, n%16))
	return b.Update(ctx, "bench", func(tx *datakit.Tx) error {
		if err := tx.MkdirAll(ctx, dir); err != nil {
			return err
		}
		return tx.WriteFile(ctx, dir+"/file", unique())
	})
}
