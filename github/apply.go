package github

// ApplyEvents returns s after the events, in their order (GH-24). What an
// event did not bring stays as it is: the comments of a PR, or all of it.
func (s Snapshot) ApplyEvents(events ...Event) Snapshot {
	for _, e := range events {
		switch e := e.(type) {
		case RepoEvent:
			if e.Monitored {
				s.add(e.Repo)
			} else {
				s.remove(e.Repo)
			}
		case PREvent:
			s.addPR(e)
		case StatusEvent:
			s.add(e.Status)
		case RefEvent:
			s.add(e.Ref)
		case RefRemoved:
			s.remove(e.Ref)
		}
	}
	return s
}

func (s *Snapshot) addPR(e PREvent) {
	switch e.Unread {
	case Nothing:
		s.add(e.PR)
	case Comments:
		if old, ok := s.prs.get(e.PR.ID()); ok && len(old.Comments) > 1 && len(e.PR.Comments) > 0 {
			e.PR.Comments = append(e.PR.Comments[:1:1], old.Comments[1:]...)
		}
		s.add(e.PR)
	}
}
