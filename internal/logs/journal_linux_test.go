package logs

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestFS197_Journald(t *testing.T) {
	t.Parallel()
	path, next := datagrams(t)
	j, err := dialJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	l, stdout := withSystemLog(t, j)
	app(l, "hello")
	if stdout.String() != "hello\n" {
		t.Errorf("stdout has %q, want hello", stdout)
	}
	log := l.Logger(Git)
	log.Error("two\nlines", "k", "v")
	log.Warn("m")
	log.Info("m")
	source(t, l, Git).SetLevel("debug")
	log.Debug(strings.Repeat("long", 1<<20))
	for _, want := range []string{
		"PRIORITY=5\nSYSLOG_IDENTIFIER=datakit\nDATAKIT_SOURCE=server\nMESSAGE=hello\n",
		"PRIORITY=3\nSYSLOG_IDENTIFIER=datakit\nDATAKIT_SOURCE=git\nMESSAGE=two lines k=v\n",
		"PRIORITY=4\nSYSLOG_IDENTIFIER=datakit\nDATAKIT_SOURCE=git\nMESSAGE=m\n",
		"PRIORITY=6\nSYSLOG_IDENTIFIER=datakit\nDATAKIT_SOURCE=git\nMESSAGE=m\n",
		"PRIORITY=7\nSYSLOG_IDENTIFIER=datakit\nDATAKIT_SOURCE=git\nMESSAGE=" + strings.Repeat("long", maxJournalText/4) + "\n",
	} {
		if got := next(); got != want {
			t.Errorf("received %.200q, want %.200q", got, want)
		}
	}
}

func TestFS197_JournaldThatIsNotThere(t *testing.T) {
	t.Parallel()
	if _, err := dialJournal(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("dialJournal succeeded without journald")
	}
}
