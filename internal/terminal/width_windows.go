package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// width also makes the console understand the sequences for color. One that
// cannot is treated as no terminal.
func width(f *os.File) int {
	h := windows.Handle(f.Fd())
	var mode uint32
	var info windows.ConsoleScreenBufferInfo
	if windows.GetConsoleMode(h, &mode) != nil || windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) != nil ||
		windows.GetConsoleScreenBufferInfo(h, &info) != nil {
		return 0
	}
	return int(info.Window.Right-info.Window.Left) + 1
}
