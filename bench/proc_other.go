//go:build !linux

package main

import (
	"errors"
	"syscall"
)

func childAttr() *syscall.SysProcAttr { return nil }

func memory(int, string) (float64, error) { return 0, errors.ErrUnsupported }

func load() float64 { return 0 }
