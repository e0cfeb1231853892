package dbtest

import (
	"encoding/binary"
	"math/rand/v2"
)

// pseudorandom returns n bytes that do not compress, always the same for the
// same seed.
func pseudorandom(seed byte, n int) string {
	p := make([]byte, n)
	source(seed).Read(p)
	return string(p)
}

func source(seed byte) *rand.ChaCha8 {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], uint64(seed))
	return rand.NewChaCha8(key)
}
