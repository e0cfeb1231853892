package odb

import "context"

func (s *Store) askMerge() {
	select {
	case s.merge <- struct{}{}:
	default:
	}
}

func (s *Store) mergeLoop(ctx context.Context) { <-ctx.Done() }
