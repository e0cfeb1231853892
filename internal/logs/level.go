package logs

import (
	"fmt"
	"log/slog"
	"strings"
)

// A Level says how important a message is, or for a source, how important one
// must be to be logged. It is a slog.Level: higher is more important.
type Level slog.Level

// The levels, from nothing to everything.
const (
	Quiet   = Level(slog.LevelError + 8) // of a source: nothing is logged
	App     = Level(slog.LevelError + 4) // for whoever started the program
	Error   = Level(slog.LevelError)
	Warning = Level(slog.LevelWarn)
	Info    = Level(slog.LevelInfo)
	Debug   = Level(slog.LevelDebug)
)

// words are the levels with their words, the most important first.
var words = []struct {
	level Level
	word  string
}{
	{Quiet, "quiet"},
	{App, "app"},
	{Error, "error"},
	{Warning, "warning"},
	{Info, "info"},
	{Debug, "debug"},
}

// ParseLevel returns the level for a word; white space around it is ignored.
func ParseLevel(word string) (Level, error) {
	for _, w := range words {
		if strings.TrimSpace(word) == w.word {
			return w.level, nil
		}
	}
	return 0, fmt.Errorf("%q: unknown log level", strings.TrimSpace(word))
}

// String returns the word for the level; for one in between, that for the next
// less important one.
func (l Level) String() string {
	for _, w := range words {
		if l >= w.level {
			return w.word
		}
	}
	return "debug"
}
