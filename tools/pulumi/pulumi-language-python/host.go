package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
)

// The program side of Run: connects the Python SDK to the engine and executes the project's __main__.py.
//
//go:embed run_program.py
var runProgram string

// bail is the exit code by which run_program.py says that the user has already been told what is wrong.
const bail = 32

type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	engine   string
	lifetime context.Context
}

func (h *host) Handshake(
	_ context.Context, request *pulumirpc.LanguageHandshakeRequest,
) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engine = request.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{}, nil
}

// GetRequiredPackages names none: the engine then fetches a provider when the program first uses it, so a stack on
// the local cloud never waits for the AWS providers that are installed beside it.
func (h *host) GetRequiredPackages(
	context.Context, *pulumirpc.GetRequiredPackagesRequest,
) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

func (h *host) GetRequiredPlugins(
	context.Context, *pulumirpc.GetRequiredPluginsRequest,
) (*pulumirpc.GetRequiredPluginsResponse, error) {
	return &pulumirpc.GetRequiredPluginsResponse{}, nil
}

func (h *host) RuntimeOptionsPrompts(
	context.Context, *pulumirpc.RuntimeOptionsRequest,
) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (h *host) About(ctx context.Context, request *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	python := interpreter(request.GetInfo())
	version, err := exec.CommandContext(ctx, python, "-c", "import platform; print(platform.python_version())").Output()
	if err != nil {
		return nil, fmt.Errorf("cannot run %s: %w", python, err)
	}
	return &pulumirpc.AboutResponse{Executable: python, Version: string(bytes.TrimSpace(version))}, nil
}

func (h *host) GetProgramDependencies(
	ctx context.Context, request *pulumirpc.GetProgramDependenciesRequest,
) (*pulumirpc.GetProgramDependenciesResponse, error) {
	list := "import importlib.metadata as m, json; print(json.dumps([[d.name, d.version] for d in m.distributions()]))"
	out, err := exec.CommandContext(ctx, interpreter(request.GetInfo()), "-c", list).Output()
	if err != nil {
		return nil, fmt.Errorf("cannot list the Python packages: %w", err)
	}
	var pairs [][2]string
	if err := json.Unmarshal(out, &pairs); err != nil {
		return nil, fmt.Errorf("cannot read the list of Python packages: %w", err)
	}
	response := &pulumirpc.GetProgramDependenciesResponse{}
	for _, pair := range pairs {
		response.Dependencies = append(response.Dependencies, &pulumirpc.DependencyInfo{Name: pair[0], Version: pair[1]})
	}
	return response, nil
}

// InstallDependencies is `pulumi install`: the virtual environment of the project, from its requirements.txt.
func (h *host) InstallDependencies(
	request *pulumirpc.InstallDependenciesRequest,
	stream grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse],
) error {
	info := request.GetInfo()
	root := info.GetRootDirectory()
	commands := [][]string{}
	if venv := virtualenv(info); venv != "" {
		if _, err := os.Stat(interpreter(info)); err != nil {
			commands = append(commands, []string{"python3", "-m", "venv", venv})
		}
	}
	requirements := filepath.Join(root, "requirements.txt")
	commands = append(commands, []string{interpreter(info), "-m", "pip", "install", "-r", requirements})
	for _, words := range commands {
		command := exec.CommandContext(stream.Context(), words[0], words[1:]...)
		command.Dir = root
		command.Stdout, command.Stderr = output{stream}, output{stream}
		if err := command.Run(); err != nil {
			return fmt.Errorf("%s failed: %w", words[0], err)
		}
	}
	return nil
}

type output struct {
	stream grpc.ServerStreamingServer[pulumirpc.InstallDependenciesResponse]
}

func (o output) Write(text []byte) (int, error) {
	return len(text), o.stream.Send(&pulumirpc.InstallDependenciesResponse{Stdout: text})
}

// Run executes the program in a fresh interpreter. What it is to know travels as one JSON document in the
// environment of that process alone.
func (h *host) Run(ctx context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	document, err := json.Marshal(map[string]any{
		"project":      request.GetProject(),
		"stack":        request.GetStack(),
		"organization": request.GetOrganization(),
		"root":         request.GetInfo().GetRootDirectory(),
		"program":      filepath.Join(request.GetInfo().GetProgramDirectory(), request.GetInfo().GetEntryPoint()),
		"monitor":      request.GetMonitorAddress(),
		"engine":       h.engine,
		"parallel":     request.GetParallel(),
		"dry_run":      request.GetDryRun(),
		"config":       request.GetConfig(),
		"secret_keys":  request.GetConfigSecretKeys(),
	})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(h.lifetime, stop)()

	python := interpreter(request.GetInfo())
	command := exec.CommandContext(ctx, python, append([]string{"-u", "-c", runProgram}, request.GetArgs()...)...)
	command.Dir = request.GetPwd()
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.Env = append(os.Environ(), "PULUMI_LAB_RUN="+string(document))
	err = command.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &exit) && exit.ExitCode() == bail:
		return &pulumirpc.RunResponse{Bail: true}, nil
	case errors.As(err, &exit):
		return &pulumirpc.RunResponse{Error: "the program ended with exit code " + strconv.Itoa(exit.ExitCode())}, nil
	default:
		return &pulumirpc.RunResponse{Error: fmt.Sprintf("cannot run %s: %v (`make setup` makes it)", python, err)}, nil
	}
}

// RunPlugin executes a plugin that is a folder of Python, such as components/, and sends on what it prints: first of
// all its port. The plugin ends with the engine, which then cancels the stream, or with this host.
func (h *host) RunPlugin(
	request *pulumirpc.RunPluginRequest, stream grpc.ServerStreamingServer[pulumirpc.RunPluginResponse],
) error {
	ctx, stop := context.WithCancel(stream.Context())
	defer stop()
	defer context.AfterFunc(h.lifetime, stop)()

	python := interpreter(request.GetInfo())
	words := append([]string{"-u", request.GetInfo().GetProgramDirectory()}, request.GetArgs()...)
	command := exec.CommandContext(ctx, python, words...)
	command.Dir = request.GetPwd()
	command.Env = append(os.Environ(), request.GetEnv()...)
	var turn sync.Mutex // a stream takes one message at a time, and the two outputs are copied side by side
	command.Stdout = pluginOutput(func(text []byte) error {
		turn.Lock()
		defer turn.Unlock()
		return stream.Send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: text}})
	})
	command.Stderr = pluginOutput(func(text []byte) error {
		turn.Lock()
		defer turn.Unlock()
		return stream.Send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stderr{Stderr: text}})
	})
	err := command.Run()
	var exit *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &exit):
		return fmt.Errorf("cannot run %s: %w (`pulumi install` in the plugin's folder makes it)", python, err)
	default:
		status := int32(command.ProcessState.ExitCode())
		return stream.Send(&pulumirpc.RunPluginResponse{
			Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: status},
		})
	}
}

type pluginOutput func([]byte) error

func (send pluginOutput) Write(text []byte) (int, error) {
	return len(text), send(text)
}

// virtualenv is the absolute path of the environment that Pulumi.yaml names, or "" where it names none.
func virtualenv(info *pulumirpc.ProgramInfo) string {
	venv := info.GetOptions().GetFields()["virtualenv"].GetStringValue()
	if venv == "" || filepath.IsAbs(venv) {
		return venv
	}
	return filepath.Join(info.GetRootDirectory(), venv)
}

func interpreter(info *pulumirpc.ProgramInfo) string {
	venv := virtualenv(info)
	switch {
	case venv == "":
		return "python3"
	case runtime.GOOS == "windows":
		return filepath.Join(venv, "Scripts", "python.exe")
	default:
		return filepath.Join(venv, "bin", "python")
	}
}
