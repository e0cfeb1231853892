package backoff

import (
	"testing"
	"time"
)

func TestGH109_Delay(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int]time.Duration{
		0: time.Second, 1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 6: 32 * time.Second, 7: time.Minute, 1000: time.Minute,
	} {
		if got := Delay(failures); got < want || got >= want+want/4 {
			t.Errorf("Delay(%d) = %v, want from %v on, and less than a quarter more", failures, got, want)
		}
	}
}
