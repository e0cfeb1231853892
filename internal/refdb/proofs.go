package refdb

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// spareProofs is how many proofs are made ahead of their use. On ext4 it
	// takes 0.1 to 0.2 ms to make a file, half as long as to flush it.
	spareProofs = 16

	// servedProofs is how many proofs are kept after their locks. While that of
	// a branch's file is kept, to replace the file does not free it, which
	// takes 0.1 ms where freed blocks are discarded.
	servedProofs = 64
)

// proofs are the files in the directory of an owner. Each begins as the only
// name of a lock file, and then is the proof that the lock is ours. They are
// made ahead of their use, and removed some time after it, in the background.
type proofs struct {
	disk *disk
	dir  string
	last atomic.Uint64 // the last name given

	spare  chan *os.File
	served chan string // nil if nothing is done in the background
	stop   chan struct{}
	work   sync.WaitGroup
}

// newProofs returns the proofs in an empty directory. Where a test watches the
// disk nothing is done in the background, so that there is one order.
func newProofs(d *disk, dir string) *proofs {
	p := &proofs{
		disk:  d,
		dir:   dir,
		spare: make(chan *os.File, spareProofs),
		stop:  make(chan struct{}),
	}
	if d.before == nil {
		p.served = make(chan string, servedProofs)
		p.work.Go(p.makeSpares)
		p.work.Go(p.removeServed)
	}
	return p
}

// take returns a new empty file, to be closed by the caller.
func (p *proofs) take() (*os.File, error) {
	select {
	case f := <-p.spare:
		return f, nil
	default:
		return p.create()
	}
}

func (p *proofs) create() (*os.File, error) {
	return p.disk.create(filepath.Join(p.dir, strconv.FormatUint(p.last.Add(1), 36)))
}

// giveBack takes the name of a file that is no proof any more.
func (p *proofs) giveBack(name string) {
	select {
	case p.served <- name:
	default:
		p.disk.remove(name) // it is of no consequence if it stays
	}
}

// makeSpares makes files ahead until stop is closed.
func (p *proofs) makeSpares() {
	for {
		f, err := p.create()
		if err != nil { // whoever takes one tries, and says why not
			select {
			case <-time.After(time.Second):
				continue
			case <-p.stop:
				return
			}
		}
		select {
		case p.spare <- f:
		case <-p.stop:
			p.discard(f)
			return
		}
	}
}

// removeServed removes what was given back, late, until served is closed.
func (p *proofs) removeServed() {
	var kept []string
	for name := range p.served {
		kept = append(kept, name)
		if len(kept) > servedProofs {
			p.disk.remove(kept[0])
			kept = kept[1:]
		}
	}
	for _, name := range kept {
		p.disk.remove(name)
	}
}

func (p *proofs) discard(f *os.File) error {
	return errors.Join(f.Close(), p.disk.remove(f.Name()))
}

// close removes the files that are no proofs. No other method may be called
// any more.
func (p *proofs) close() {
	close(p.stop)
	if p.served != nil {
		close(p.served)
	}
	p.work.Wait()
	close(p.spare)
	for f := range p.spare {
		p.discard(f)
	}
}
