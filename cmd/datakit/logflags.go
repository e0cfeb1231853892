package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/datakit/datakit/internal/logs"
)

// logFlags are the options about the log (FS-196, FS-197, GH-185). They are the
// same for all programs that run for long.
type logFlags struct {
	verbose   int
	quiet     bool
	verbosity string
	opts      logs.Options
}

func (l *logFlags) define(f *pflag.FlagSet) {
	f.CountVarP(&l.verbose, "verbose", "v", "log more: once level info, twice debug")
	f.BoolVarP(&l.quiet, "quiet", "q", false, "log nothing")
	f.StringVar(&l.verbosity, "verbosity", "", "log `LEVEL`: quiet, error, warning, info or debug (default warning)")
	f.StringVar(&l.opts.Color, "color", "auto", "`WHEN` to color the log: auto, always or never")
	f.StringVar(&l.opts.Destination, "log-destination", "quiet", "`WHERE` and how to log: "+strings.Join(logs.Destinations(), ", "))
	f.StringVar(&l.opts.Clock, "log-clock", "posix", "`CLOCK` of time stamps: posix or monotonic")
}

// check finds what is wrong with the options, without opening anything.
func (l *logFlags) check() (err error) {
	if l.opts.Level, err = l.level(os.Getenv("DATAKIT_VERBOSE")); err != nil {
		return err
	}
	return logs.CheckOptions(l.opts)
}

// level returns the level that the options ask for, or else the environment
// (FS-196, GH-186). Each word must be right, also where another overrides it.
func (l *logFlags) level(env string) (level logs.Level, err error) {
	level = logs.Warning
	for _, word := range []struct{ from, is string }{{"DATAKIT_VERBOSE", env}, {"--verbosity", l.verbosity}} {
		if word.from == "--verbosity" && l.verbose > 0 {
			level = []logs.Level{logs.Info, logs.Debug}[min(l.verbose, 2)-1]
		}
		if word.is == "" {
			continue
		}
		if level, err = logs.ParseLevel(word.is); err != nil || level == logs.App {
			return 0, fmt.Errorf("%s %q: unknown log level", word.from, word.is)
		}
	}
	if l.quiet {
		level = logs.Quiet
	}
	return level, nil
}

// open returns the log. Close it.
func (l *logFlags) open(stdout, stderr io.Writer, count func(level, source string)) (*logs.Logs, error) {
	opts := l.opts
	opts.Stdout, opts.Stderr, opts.Count = stdout, stderr, count
	return logs.New(opts)
}

// A metricsFlag is the port of --listen-prometheus; empty for none.
type metricsFlag string

func (m *metricsFlag) define(f *pflag.FlagSet) {
	f.StringVar((*string)(m), "listen-prometheus", "", "serve metrics over HTTP on this `PORT`")
}

func (m metricsFlag) check() error {
	if _, err := strconv.ParseUint(string(m), 10, 16); err != nil && m != "" {
		return fmt.Errorf("--listen-prometheus %q: not a port number", string(m))
	}
	return nil
}

// addr returns where to listen; empty for nowhere.
func (m metricsFlag) addr() string {
	if m == "" {
		return ""
	}
	return ":" + string(m)
}
