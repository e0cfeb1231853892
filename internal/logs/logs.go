// Package logs has the log of the server and bridge programs: messages of a few
// named sources, each with a level of its own that can be changed at any time, written
// to one destination (specification of the filesystem, sections 2.11 and 7.4).
//
// Code that logs knows slog only. It is given the Logger of its source.
package logs

import (
	"io"
	"log/slog"
	"os"
	"time"
)

// The names of the sources of the server.
const (
	Server   = "server"
	NineP    = "9p"
	Git      = "git"
	Remotes  = "remotes"
	AutoPush = "auto-push"
)

// The names of the sources of the bridges.
const (
	Bridge   = "bridge"
	GitHub   = "github"
	Webhook  = "webhook"
	Database = "database"
)

// A description is the name of a source, the line that describes it, and the
// level that it is limited to at first.
type description struct {
	name, doc string
	limit     Level
}

// sources are all sources of the server.
var sources = []description{
	{Server, "The server program: start, stop, listening addresses", Debug},
	{NineP, "The 9P protocol: connections, requests and replies", Info},
	{Git, "The Git store: objects, references, transactions", Info},
	{Remotes, "Fetching from remote repositories", Debug},
	{AutoPush, "Pushing changed branches to the remote of --auto-push", Debug},
}

// bridgeSources are all sources of the bridges.
var bridgeSources = []description{
	{Bridge, "The bridge program: start, stop, syncs", Debug},
	{GitHub, "Calls of GitHub's API", Debug},
	{Webhook, "Webhooks: registration and deliveries", Debug},
	{Database, "The connection to the database, or its repository", Debug},
}

// Options are the settings of Logs.
type Options struct {
	Level       Level  // of all sources; the zero value is Info
	Destination string // one of Destinations; empty means "quiet"
	Color       string // "auto", which is what empty means, "always" or "never"
	Clock       string // "posix", which is what empty means, or "monotonic"
	Bridge      bool   // the sources are those of the bridges, and not of the server

	// Stdout gets the messages of level App, and Stderr all others unless
	// Destination is a log of the system. Nil means those of the process.
	Stdout, Stderr io.Writer

	// Count, if set, is told of each message that is logged.
	Count func(level, source string)

	now func() time.Time // for tests; nil means time.Now
}

// Logs is a set of sources and where their messages go.
type Logs struct {
	sources []*Source
	out     *output
}

// New returns the sources of a program. Close it after the last message. A
// destination that this system does not have is an error.
func New(opts Options) (*Logs, error) {
	if opts.Stdout == nil {
		opts.Stdout = os.Stdout
	}
	if opts.Stderr == nil {
		opts.Stderr = os.Stderr
	}
	out, err := newOutput(opts)
	if err != nil {
		return nil, err
	}
	l := &Logs{out: out}
	all := sources
	if opts.Bridge {
		all = bridgeSources
	}
	for _, s := range all {
		src := &Source{name: s.name, doc: s.doc}
		// The lower of two levels logs more.
		src.level.Set(slog.Level(max(opts.Level, s.limit)))
		l.sources = append(l.sources, src)
	}
	return l, nil
}

// Sources returns all sources.
func (l *Logs) Sources() []*Source { return l.sources }

// Logger returns what logs as the source of the given name, one of the
// constants of this package.
func (l *Logs) Logger(name string) *slog.Logger {
	for _, s := range l.sources {
		if s.name == name {
			return slog.New(&handler{source: s, out: l.out})
		}
	}
	panic("logs: no source is called " + name)
}

// Close ends the connection to a log of the system.
func (l *Logs) Close() error { return l.out.sink.close() }

// A Source is a part of the server that logs at a level of its own. Its methods
// may be called concurrently.
type Source struct {
	name, doc string
	level     slog.LevelVar
}

// Name returns the name, which can be that of a file.
func (s *Source) Name() string { return s.name }

// Doc returns one line that says what the source logs about.
func (s *Source) Doc() string { return s.doc }

// Level returns the word for the present level.
func (s *Source) Level() string { return Level(s.level.Level()).String() }

// SetLevel sets the level to the one that word stands for, and fails if it
// stands for none.
func (s *Source) SetLevel(word string) error {
	l, err := ParseLevel(word)
	if err != nil {
		return err
	}
	s.level.Set(slog.Level(l))
	return nil
}
