%% What Erlang's runtime does with threads: schedulers that spin and then sleep by futex, a thread
%% that polls for all, others for files, and a helper process that forks.
-module(threads).
-export([main/1]).

echo(0, To) -> To ! done;
echo(N, To) -> receive {From, ping} -> From ! pong end, echo(N - 1, To).

ping(0, _) -> ok;
ping(N, To) -> To ! {self(), ping}, receive pong -> ok end, ping(N - 1, To).

main([Rounds]) ->
    N = 500 * list_to_integer(atom_to_list(Rounds)),
    Self = self(),
    Echoes = [spawn(fun() -> echo(N, Self) end) || _ <- lists:seq(1, 20)],
    Pings = [spawn_monitor(fun() -> ping(N, E) end) || E <- Echoes],
    [receive done -> ok end || _ <- Echoes],
    [receive {'DOWN', R, process, _, normal} -> ok end || {_, R} <- Pings],
    Files = ["part" ++ integer_to_list(I) || I <- lists:seq(1, 8)],
    Written = [spawn_monitor(fun() -> ok = file:write_file(F, binary:copy(<<"text">>, 10000)) end)
               || F <- Files],
    [receive {'DOWN', R, process, _, normal} -> ok end || {_, R} <- Written],
    Sizes = [begin {ok, B} = file:read_file(F), byte_size(B) end || F <- Files],
    io:format("~p pings, ~p bytes, ~s", [20 * N, lists:sum(Sizes), os:cmd("echo a child")]),
    Late = receive nothing -> early after 20 -> late end,
    io:format("~p~n", [Late]),
    halt(27).
