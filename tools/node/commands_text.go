package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// A longer line is given up, so that a file without any does not fill the memory.
const maxLine = 1 << 20

// eachLine calls `visit` with each line, without its end.
func eachLine(in io.Reader, visit func(string) error) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if err := visit(lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}

var errEnough = errors.New("enough was read")

func cat(p *process) int {
	return p.inputs(p.args, func(_ string, in io.Reader) error {
		_, err := io.Copy(p.out, in)
		return err
	})
}

func tee(p *process) int {
	options, names, ok := p.flags("ai")
	if !ok {
		return 1
	}
	flag := os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	if options['a'] != "" {
		flag = os.O_WRONLY | os.O_CREATE | os.O_APPEND
	}
	all, files := []io.Writer{p.out}, []file{}
	for _, name := range names {
		opened, err := p.machine.mounts.Open(p.ctx, p.path(name), flag, 0o644)
		if err != nil {
			return p.failed(name, err)
		}
		all, files = append(all, opened), append(files, opened)
	}
	_, err := io.Copy(io.MultiWriter(all...), cancellable{p.ctx, p.in})
	for _, each := range files {
		err = errors.Join(err, each.Close())
	}
	if err != nil {
		return p.failed("write", err)
	}
	return 0
}

func grep(p *process) int {
	options, args, ok := p.flags("qvicnloEFrhHe:wxsm:")
	if !ok {
		return 2
	}
	pattern, given := options['e']
	if !given {
		if len(args) == 0 {
			p.fail("what?")
			return 2
		}
		pattern, args = args[0], args[1:]
	}
	if options['F'] != "" {
		pattern = regexp.QuoteMeta(pattern)
	}
	if options['w'] != "" {
		pattern = `\b(?:` + pattern + `)\b`
	}
	if options['x'] != "" {
		pattern = `^(?:` + pattern + `)$`
	}
	if options['i'] != "" {
		pattern = "(?i)" + pattern
	}
	wanted, err := regexp.Compile(pattern)
	if err != nil {
		p.fail("%v", err)
		return 2
	}
	limit := -1
	if number, err := strconv.Atoi(options['m']); err == nil {
		limit = number
	}
	found := false
	code := p.inputs(args, func(name string, in io.Reader) error {
		prefix := ""
		if (len(args) > 1 && options['h'] == "") || options['H'] != "" {
			prefix = name + ":"
		}
		count, number := 0, 0
		err := eachLine(in, func(line string) error {
			number++
			if wanted.MatchString(line) == (options['v'] != "") {
				return nil
			}
			found = true
			count++
			switch {
			case options['q'] != "" || options['l'] != "":
				return errEnough
			case options['c'] != "":
			case options['o'] != "":
				for _, part := range wanted.FindAllString(line, -1) {
					p.print("%s%s\n", prefix, part)
				}
			case options['n'] != "":
				p.print("%s%d:%s\n", prefix, number, line)
			default:
				p.print("%s%s\n", prefix, line)
			}
			if count == limit {
				return errEnough
			}
			return p.out.failed
		})
		if options['c'] != "" {
			p.print("%s%d\n", prefix, count)
		}
		if options['l'] != "" && count > 0 {
			p.print("%s\n", name)
		}
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	})
	switch {
	case found && (code == 0 || options['q'] != ""):
		return 0
	case code != 0:
		return 2
	}
	return 1
}

func wc(p *process) int {
	options, args, ok := p.flags("lwcm")
	if !ok {
		return 1
	}
	show := func(counts [3]int, name string) {
		words := []string{}
		for i, letter := range []byte("lwc") {
			if len(options) == 0 || options[letter] != "" || letter == 'c' && options['m'] != "" {
				words = append(words, strconv.Itoa(counts[i]))
			}
		}
		if name != "-" {
			words = append(words, name)
		}
		p.print("%s\n", strings.Join(words, " "))
	}
	var total [3]int
	code := p.inputs(args, func(name string, in io.Reader) error {
		var counts [3]int
		inWord := false
		buffer := make([]byte, 64<<10)
		for {
			n, err := in.Read(buffer)
			for _, each := range buffer[:n] {
				if each == '\n' {
					counts[0]++
				}
				space := each == ' ' || each == '\n' || each == '\t' || each == '\r'
				if !space && !inWord {
					counts[1]++
				}
				inWord = !space
			}
			counts[2] += n
			if err == io.EOF {
				break
			} else if err != nil {
				return err
			}
		}
		for i := range total {
			total[i] += counts[i]
		}
		show(counts, name)
		return nil
	})
	if len(args) > 1 {
		show(total, "total")
	}
	return code
}

// count is the number of -n 5, -n +5, -c 5 or -5.
func (p *process) count() (number int, bytewise bool, operands []string, ok bool) {
	for i, arg := range p.args {
		if len(arg) > 1 && arg[0] == '-' && arg[1] >= '0' && arg[1] <= '9' {
			p.args = append(append(append([]string{}, p.args[:i]...), "-n", arg[1:]), p.args[i+1:]...)
			break
		}
	}
	options, operands, ok := p.flags("n:c:q")
	number = 10
	for _, letter := range []byte("nc") {
		if value, given := options[letter]; given && ok {
			var err error
			if number, err = strconv.Atoi(strings.TrimPrefix(value, "-")); err != nil {
				return 0, false, nil, p.fail("%q is not a number", value) == 0
			}
			if strings.HasPrefix(value, "+") {
				number = -number
			}
			bytewise = letter == 'c'
		}
	}
	return number, bytewise, operands, ok
}

func head(p *process) int {
	number, bytewise, names, ok := p.count()
	if !ok {
		return 1
	}
	return p.inputs(names, func(_ string, in io.Reader) error {
		if bytewise {
			_, err := io.CopyN(p.out, in, int64(number))
			if err == io.EOF {
				err = nil
			}
			return err
		}
		if number < 1 {
			return nil
		}
		left := number
		err := eachLine(in, func(line string) error {
			if p.print("%s\n", line); p.out.failed != nil {
				return p.out.failed
			}
			if left--; left == 0 {
				return errEnough
			}
			return nil
		})
		if errors.Is(err, errEnough) {
			return nil
		}
		return err
	})
}

func tail(p *process) int {
	number, bytewise, names, ok := p.count()
	if !ok {
		return 1
	}
	return p.inputs(names, func(_ string, in io.Reader) error {
		if bytewise {
			text, err := io.ReadAll(io.LimitReader(in, maxSubstitution))
			p.print("%s", text[max(0, len(text)-number):])
			return err
		}
		var kept []string
		seen := 0
		err := eachLine(in, func(line string) error {
			seen++
			if number < 0 && seen >= -number {
				p.print("%s\n", line)
				return p.out.failed
			}
			if number >= 0 {
				kept = append(kept, line)
				if len(kept) > number {
					kept = kept[1:]
				}
			}
			return nil
		})
		for _, line := range kept {
			p.print("%s\n", line)
		}
		return err
	})
}
