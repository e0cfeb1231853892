package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run does what the command does, and prints the table to standard output.
func run(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("bench", flag.ExitOnError)
	pattern := fs.String("run", "", "measure only the benchmarks whose name matches `regexp`")
	short := fs.Bool("short", false, "measure less, for a quick look")
	rounds := fs.Int("rounds", 0, "how many `times` ours and the alternative take turns")
	dir := fs.String("dir", ".bench", "measure in `directory`")
	datakit := fs.String("datakit", "", "measure the datakit command at `path` instead of this source's")
	list := fs.Bool("list", false, "print the names and do nothing")
	fs.Parse(args)
	re, err := regexp.Compile(*pattern)
	if err != nil {
		return err
	}
	if *list {
		for _, b := range benchmarks {
			fmt.Printf("%-14s %s\n", b.name, b.what)
		}
		return nil
	}
	size := full
	if *short {
		size = brief
	}
	if *rounds > 0 {
		size.rounds = *rounds
	}
	e, err := newEnv(ctx, *dir, size)
	if err != nil {
		return err
	}
	defer e.close()
	if *datakit != "" {
		e.datakit = func() (string, error) { return *datakit, nil }
	}
	caption := e.caption()
	rows, err := measure(e, re)
	fmt.Println(caption)
	printTable(os.Stdout, rows)
	return err
}

// measure runs the benchmarks that re matches. One that cannot run is
// reported and does not keep the others from running.
func measure(e *env, re *regexp.Regexp) (rows []row, err error) {
	failed := 0
	for _, b := range benchmarks {
		if !re.MatchString(b.name) {
			continue
		}
		if e.ctx.Err() != nil {
			return rows, e.ctx.Err()
		}
		e.logf("%s: %s", b.name, b.what)
		got, err := b.run(e)
		if err != nil {
			e.logf("%s: %v", b.name, err)
			failed++
		}
		rows = append(rows, got...)
		printTable(os.Stderr, got)
	}
	if failed > 0 {
		return rows, fmt.Errorf("%d benchmarks could not run", failed)
	}
	return rows, nil
}
