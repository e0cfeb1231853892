package odb

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Packs are merged so that their sizes stay a geometric progression, as by
// git repack --geometric: each byte is copied a number of times that grows
// with the logarithm of the size of the repository, and so does the number of
// packs. What is large is left to git gc.
const (
	mergeAt      = 32        // small packs, from which on they are merged
	mergeStep    = 8         // packs to be published before it is looked at again
	mergeFactor  = 4         // of the progression
	mergeBytes   = 256 << 20 // of a pack, beyond which it is not merged
	mergeObjects = 250_000   // the same in objects, whose index is held in memory
)

// rescanEvery is how often packs that were deleted are looked for, so that
// their place on the disk gets free.
const rescanEvery = time.Minute

// askMerge has the number of packs looked at, soon, after the first pack and
// then after each mergeStep: to wake for each commit would slow it down.
func (s *Store) askMerge() {
	if n := s.released.Add(1); n != 1 && n%mergeStep != 0 {
		return
	}
	select {
	case s.merge <- struct{}{}:
	default:
	}
}

// mergeLoop merges packs until ctx is done.
func (s *Store) mergeLoop(ctx context.Context) {
	tick := time.NewTicker(rescanEvery)
	defer tick.Stop()
	for seen := int64(-mergeStep); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for _, d := range s.dirs {
				if err := d.packs.rescan(false); err != nil {
					s.opts.Log.Warn("packs cannot be listed", "error", err)
				}
			}
		case <-s.merge:
			if now := s.released.Load(); now >= seen+mergeStep && s.packs().count() >= mergeAt {
				seen = now
				s.mergeSmall(ctx)
			}
		}
	}
}

// mergeSmall merges packs, unless another Store does at the moment.
func (s *Store) mergeSmall(ctx context.Context) {
	lock, err := os.OpenFile(filepath.Join(s.sessions(), "merge.lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err == nil {
		defer lock.Close()
		if lockFile(lock) != nil {
			return
		}
		err = s.mergeOnce(ctx)
	}
	if err != nil && ctx.Err() == nil {
		s.opts.Log.Warn("packs are not merged", "dir", s.objects, "error", err)
	}
}

// mergeOnce merges one set of packs, if there are enough.
func (s *Store) mergeOnce(ctx context.Context) error {
	sources, err := s.packs().mergeable()
	defer func() {
		for _, p := range sources {
			p.release()
		}
	}()
	if err != nil || len(sources) < mergeAt {
		return err
	}
	chosen := sources[:chooseMerge(sources)]
	if len(chosen) < 2 {
		return nil
	}
	product, err := s.mergePacks(ctx, chosen)
	if err != nil {
		return err
	}
	defer product.Release()
	s.packs().scanMu.Lock()
	defer s.packs().scanMu.Unlock()
	for _, p := range chosen {
		if p.name() != product.name {
			s.keeps.ifFree(p.name(), func() { s.removeSource(p) })
		}
	}
	return nil
}

// chooseMerge returns how many of packs, which are sorted by size, are to be
// merged, so that each pack left is mergeFactor times as large as the one
// before.
func chooseMerge(packs []*pack) int {
	n := len(packs) - 1
	for n > 0 && packs[n].size >= mergeFactor*packs[n-1].size {
		n--
	}
	if n == 0 {
		return 0
	}
	var size int64
	objects, i := 0, 0
	for ; i < len(packs); i++ {
		if i > n && packs[i].size >= mergeFactor*size {
			break
		}
		size += packs[i].size
		objects += packs[i].idx.N
		if size > 2*mergeBytes || objects > 2*mergeObjects {
			break
		}
	}
	return i
}

// count returns the number of packs.
func (d *packDir) count() int {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return len(d.packs)
}

// mergeable returns the packs that may be merged, the smallest first, with
// references.
func (d *packDir) mergeable() (packs []*pack, err error) {
	d.mu.RLock()
	for _, p := range d.packs {
		if p.size <= mergeBytes && p.idx.N <= mergeObjects {
			p.refs.Add(1)
			packs = append(packs, p)
		}
	}
	d.mu.RUnlock()
	special, err := specialPacks(d.path)
	packs = slices.DeleteFunc(packs, func(p *pack) bool {
		if err == nil && !special[p.name()] && p.isPlain() {
			return false
		}
		p.release()
		return true
	})
	slices.SortFunc(packs, func(a, b *pack) int { return cmp.Compare(a.size, b.size) })
	return packs, err
}

// removeSource removes a pack whose objects are all in another one, unless
// somebody wants it kept by now.
func (s *Store) removeSource(p *pack) {
	if _, err := os.Lstat(p.base + ".keep"); err == nil {
		return
	}
	s.packs().drop([]string{p.name()})
	for _, ext := range []string{".idx", ".pack", ".rev"} {
		s.files.remove(p.base + ext) // if it stays, it is found and merged again
	}
}
