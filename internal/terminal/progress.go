package terminal

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// When a Progress first appears, and how often it is brought up to date.
const (
	progressDelay  = time.Second
	progressPeriod = 200 * time.Millisecond
)

// A Progress is a line on a terminal that tells how far a command is. It
// appears after a second, and is gone when the command prints something or
// ends. Its methods may be called concurrently, and on nil, which is a Progress
// that nobody sees.
type Progress struct {
	w     io.Writer
	label string
	width int
	start time.Time

	files, bytes atomic.Int64

	once    sync.Once
	stop    chan struct{}
	stopped chan struct{}
}

// StartProgress returns a progress on the terminal w, which begins with label,
// or nil if w is none. Stop it.
func StartProgress(w io.Writer, label string) *Progress {
	width := Width(w)
	if width == 0 {
		return nil
	}
	p := &Progress{w: w, label: label, width: width, start: time.Now(), stop: make(chan struct{}), stopped: make(chan struct{})}
	go p.run()
	return p
}

// Add counts files and bytes that are done.
func (p *Progress) Add(files, bytes int64) {
	if p == nil {
		return
	}
	p.files.Add(files)
	p.bytes.Add(bytes)
}

// Stop removes the line for good, and returns when it is gone. It may be
// called more than once.
func (p *Progress) Stop() {
	if p == nil {
		return
	}
	p.once.Do(func() { close(p.stop) })
	<-p.stopped
}

// run shows the line until the progress is stopped.
func (p *Progress) run() {
	defer close(p.stopped)
	tick := time.NewTimer(progressDelay)
	defer tick.Stop()
	shown := false
	for {
		select {
		case <-tick.C:
			fmt.Fprintf(p.w, "\r%s\x1b[K", cut(p.line(time.Since(p.start)), p.width-1))
			shown = true
			tick.Reset(progressPeriod)
		case <-p.stop:
			if shown {
				io.WriteString(p.w, "\r\x1b[K")
			}
			return
		}
	}
}

// line returns what is shown after some time.
func (p *Progress) line(after time.Duration) string {
	s := fmt.Sprintf("%s … %s", p.label, after.Truncate(time.Second))
	if files := p.files.Load(); files > 0 {
		s += fmt.Sprintf(", %d files", files)
	}
	if bytes := p.bytes.Load(); bytes > 0 {
		s += ", " + size(bytes)
	}
	return s
}

// size returns a number of bytes for people.
func size(bytes int64) string {
	const unit = 1024
	if bytes < unit {
		return fmt.Sprintf("%d bytes", bytes)
	}
	value, prefix := float64(bytes)/unit, 0
	for value >= unit && prefix < len("KMGTPE")-1 {
		value /= unit
		prefix++
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTPE"[prefix])
}
