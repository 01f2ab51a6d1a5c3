package main

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"strconv"
)

func seq(p *process) int {
	numbers := []int{}
	for _, arg := range p.args {
		number, err := strconv.Atoi(arg)
		if err != nil {
			return p.fail("%q is not a whole number", arg)
		}
		numbers = append(numbers, number)
	}
	first, step, last := 1, 1, 0
	switch len(numbers) {
	case 1:
		last = numbers[0]
	case 2:
		first, last = numbers[0], numbers[1]
	case 3:
		first, step, last = numbers[0], numbers[1], numbers[2]
	default:
		return p.fail("from where to where?")
	}
	if step == 0 {
		return p.fail("a step of 0 never ends")
	}
	out := bufio.NewWriter(p.out)
	for i := first; (step > 0 && i <= last) || (step < 0 && i >= last); i += step {
		if fmt.Fprintln(out, i); p.ctx.Err() != nil || p.out.failed != nil {
			return 1
		}
	}
	if out.Flush() != nil {
		return 1
	}
	return 0
}

func checksum(p *process) int {
	return p.inputs(p.args, func(name string, in io.Reader) error {
		sum := sha256.New()
		if _, err := io.Copy(sum, in); err != nil {
			return err
		}
		p.print("%x  %s\n", sum.Sum(nil), name)
		return nil
	})
}
