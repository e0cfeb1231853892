package endpoint

import (
	"encoding/hex"
	"strings"
)

// A guid is what machines and services are named by in Hyper-V, as its digits
// are written: the first four bytes are the first eight digits.
type guid [16]byte

// The GUIDs that Hyper-V gives a meaning to, and the service of DataKit.
var (
	anyVM          = mustGUID("00000000-0000-0000-0000-000000000000")
	childVMs       = mustGUID("90db8b89-0d35-4f79-8ce9-49ea0ac8b7cd")
	loopbackVM     = mustGUID("e0e16197-dd56-4a10-9195-5ee7a155a838")
	parentVM       = mustGUID("a42e7cda-d03f-480c-9cc2-a4de20abb878")
	defaultService = mustGUID("C378280D-DA14-42C8-A24E-0DE92A1028E2")
)

// guidLayout is where the hyphens are.
const guidLayout = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"

// parseGUID reads 32 hexadecimal digits in either case with hyphens at their
// places.
func parseGUID(s string) (g guid, ok bool) {
	if len(s) != len(guidLayout) {
		return g, false
	}
	for i := range s {
		if (s[i] == '-') != (guidLayout[i] == '-') {
			return g, false
		}
	}
	_, err := hex.Decode(g[:], []byte(strings.ReplaceAll(s, "-", "")))
	return g, err == nil
}

func mustGUID(s string) guid {
	g, ok := parseGUID(s)
	if !ok {
		panic("endpoint: malformed GUID " + s)
	}
	return g
}
