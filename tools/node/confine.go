package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// parse reads a script and makes sure that it stays inside of its container.
func parse(text, name string) (*syntax.File, error) {
	if len(text) > maxScript {
		return nil, fmt.Errorf("the script is longer than %d KiB", maxScript>>10)
	}
	script, err := syntax.NewParser().Parse(strings.NewReader(text), name)
	if err != nil {
		return nil, err
	}
	return script, confine(script)
}

const pidVariable, parentVariable = "LAB_PID", "LAB_PARENT_PID"

// answers takes the place of what the interpreter would ask this machine.
var answers = map[string]string{pidVariable: "1", parentVariable: "0", "UID": "0", "EUID": "0", "GID": "0"}

// confine refuses what would reach this machine, and changes the names of variables that would be read from it.
func confine(script *syntax.File) (refused error) {
	expansions, documents := 0, map[*syntax.Word]bool{}
	syntax.Walk(script, func(node syntax.Node) bool {
		switch node := node.(type) {
		case *syntax.Stmt:
			expansions = 0
		case *syntax.Redirect:
			documents[node.Hdoc] = true
		case *syntax.Word:
			if !documents[node] {
				node.Parts = withoutUser(node.Parts)
			}
		case *syntax.ProcSubst:
			refused = errors.New("process substitution is not played here: write to a file")
		case *syntax.DeclClause:
			// The interpreter breaks at ${name[-1]} of an associative array.
			for _, arg := range node.Args {
				if arg.Naked && arg.Value != nil && associative(node.Variant.Value, arg.Value.Lit()) {
					refused = errors.New("associative arrays are not played here, nor options of declare in a variable")
				}
			}
		case *syntax.CoprocClause:
			refused = errors.New("coproc is not played here")
		case *syntax.ParamExp:
			if expansions++; expansions > maxExpansions {
				refused = fmt.Errorf("more than %d variables in one statement", maxExpansions)
			}
			if node.Param != nil && (node.Param.Value == "$" || node.Param.Value == "PPID") {
				name := map[string]string{"$": pidVariable, "PPID": parentVariable}[node.Param.Value]
				node.Short, node.Param = false, &syntax.Lit{Value: name}
			}
		}
		return refused == nil
	})
	return refused
}

func associative(declares, option string) bool {
	if option == "" {
		return declares != "export" && declares != "readonly"
	}
	return strings.ContainsRune("-+", rune(option[0])) && strings.ContainsRune(option, 'A')
}

// withoutUser quotes the ~ of ~name, the home of a user, whom the interpreter looks up on this machine.
func withoutUser(parts []syntax.WordPart) []syntax.WordPart {
	if len(parts) == 0 {
		return parts
	}
	first, is := parts[0].(*syntax.Lit)
	if !is || len(first.Value) < 2 || first.Value[0] != '~' || first.Value[1] == '/' {
		return parts
	}
	rest := *first
	rest.Value = first.Value[1:]
	return append([]syntax.WordPart{&syntax.SglQuoted{Value: "~"}, &rest}, parts[1:]...)
}

var wideFormat = regexp.MustCompile(`%[-+# 0]*(\d{5,}|\*)`)

// onCall sees each command before it runs, the shell's own ones too, and takes the place of those that would ask this
// machine.
func (m *machine) onCall(ctx context.Context, args []string) ([]string, error) {
	var deep [1]uintptr
	if runtime.Callers(maxFrames, deep[:]) > 0 {
		return nil, errors.New("too many calls inside of each other")
	}
	if runtime.NumGoroutine() > maxGoroutines || m.variables(ctx) > maxVariables {
		m.tooMuch.Store(true)
		return nil, errTooMuch
	}
	total := 0
	for _, arg := range args {
		if total += len(arg); total > maxHeap/8 {
			m.tooMuch.Store(true)
			return nil, errTooMuch
		}
	}
	return m.instead(ctx, args), nil
}

// variables is how many bytes a shell's variables hold.
func (m *machine) variables(ctx context.Context) (total int) {
	interp.HandlerCtx(ctx).Env.Each(func(_ string, value expand.Variable) bool {
		total += len(value.Str)
		for _, each := range value.List {
			total += len(each)
		}
		for _, each := range value.Map {
			total += len(each)
		}
		return true
	})
	return total
}

func (m *machine) instead(ctx context.Context, args []string) []string {
	hc := interp.HandlerCtx(ctx)
	failed := func(format string, words ...any) []string {
		fmt.Fprintf(hc.Stderr, "%s: %s\n", args[0], fmt.Sprintf(format, words...))
		return []string{"false"}
	}
	switch args[0] {
	case "builtin", "command":
		if len(args) > 1 && args[1] == "-v" {
			return append([]string{"/bin/which"}, args[2:]...)
		}
		if len(args) > 1 && !strings.HasPrefix(args[1], "-") {
			taken := m.instead(ctx, args[1:])
			if args[0] == "builtin" && !interp.IsBuiltin(taken[0]) {
				return taken
			}
			return append([]string{args[0]}, taken...)
		}
	case "kill", "type", "echo":
		return append([]string{"/bin/" + args[0]}, args[1:]...)
	case "pwd":
		return []string{"/bin/pwd"}
	case "alias", "enable", "umask", "ulimit", "fc", "bind", "mapfile", "readarray":
		return failed("not played here")
	case "printf":
		if len(args) > 1 && wideFormat.MatchString(args[1]) {
			return failed("the format is too wide")
		}
		return append([]string{"/bin/printf"}, args[1:]...)
	case "eval":
		return m.evaluated(args, strings.Join(args[1:], " "), failed)
	case "shift":
		// The interpreter takes it for an index, and where it breaks in the background nothing can catch it.
		if len(args) > 1 && strings.HasPrefix(args[1], "-") {
			return failed("%s is not a number of arguments", args[1])
		}
	case "trap":
		return trapped(args, hc.Stderr, failed)
	case "source", ".":
		return m.sourced(ctx, hc, args, failed)
	}
	return args
}

// evaluated is an eval of a script that was confined.
func (m *machine) evaluated(args []string, text string, failed func(string, ...any) []string) []string {
	text, err := confined(text, args[0])
	if err != nil {
		return failed("%v", err)
	}
	return []string{"eval", text}
}

// confined is the text of a script that stays inside of its container.
func confined(text, name string) (string, error) {
	script, err := parse(text, name)
	if err != nil {
		return "", err
	}
	var printed bytes.Buffer
	err = syntax.NewPrinter().Print(&printed, script)
	return printed.String(), err
}

// trapped leaves a trap's EXIT and ERR, the two that the interpreter knows.
func trapped(args []string, stderr io.Writer, failed func(string, ...any) []string) []string {
	if len(args) < 3 {
		return args
	}
	kept := []string{"trap", args[1]}
	if args[1] != "-" {
		text, err := confined(args[1], "trap")
		if err != nil {
			return failed("%v", err)
		}
		kept[1] = text
	}
	for _, signal := range args[2:] {
		if signal == "0" {
			signal = "EXIT"
		}
		if signal == "EXIT" || signal == "ERR" {
			kept = append(kept, signal)
		} else {
			fmt.Fprintf(stderr, "trap: %s is not played here: it ends the container at once\n", signal)
		}
	}
	if len(kept) == 2 {
		return []string{"true"}
	}
	return kept
}

// sourced runs a file of the container in this shell. It is a function, so that it can `return`.
func (m *machine) sourced(ctx context.Context, hc interp.HandlerContext, args []string, failed func(string, ...any) []string) []string {
	if len(args) < 2 {
		return failed("need a file")
	}
	text, err := m.readFile(ctx, absolute(hc.Dir, args[1]), maxScript+1)
	if err != nil {
		return failed("%v", err)
	}
	if _, err := parse(text, args[1]); err != nil {
		return failed("%v", err)
	}
	words := `"$@"`
	if len(args) > 2 {
		quoted := []string{}
		for _, arg := range args[2:] {
			word, err := syntax.Quote(arg, syntax.LangBash)
			if err != nil {
				return failed("%v", err)
			}
			quoted = append(quoted, word)
		}
		words = strings.Join(quoted, " ")
	}
	return m.evaluated(args, fmt.Sprintf("lab_sourced() {\n:\n%s\n}\nlab_sourced %s", text, words), failed)
}
