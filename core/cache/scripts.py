"""What Redis does in one step, in Lua: nothing can come between reading the generations and what follows from them."""

# A generation that is missing (never raised, or lost with its server) starts at the server's microseconds: it has not
# been there before, so no reply kept under an older one can come back. Those of single campaigns ('/') may go away.
_GENERATIONS = """
local function microseconds()
    local time = redis.call('TIME')
    return string.format('%d%06d', time[1], time[2])
end
local function generation(key)
    local value = redis.call('GET', key)
    if not value then
        value = microseconds()
        if string.find(key, '/', 1, true) then
            redis.call('SET', key, value, 'EX', 7200)
        else
            redis.call('SET', key, value)
        end
    end
    return value
end
local function stamp()
    local values = {}
    for index, key in ipairs(KEYS) do values[index] = generation(key) end
    return table.concat(values, '.')
end
"""

# KEYS: generations. ARGV: key of the reply and of its lease, both without stamp; milliseconds of life below which the
# reply is to be made anew; milliseconds of a lease; a key that is never there. Returns the stamp, the reply or nothing,
# its milliseconds of life, whether the looker got the lease, and the server's microseconds: what is read after the look
# is no older than those. A server that takes no writes answers with an error, since none could outdate what it keeps:
# hence the deletion of what is never there. A full one has no room for a lease: what it keeps is shown to its end.
LOOK = (
    _GENERATIONS
    + """
local now = stamp()
local key = ARGV[1] .. ':' .. now
local reply = redis.call('GET', key)
local life = reply and redis.call('PTTL', key) or 0
if reply and life >= tonumber(ARGV[3]) then
    redis.call('DEL', ARGV[5])
    return {now, reply, life, 0, microseconds()}
end
local leased = redis.pcall('SET', ARGV[2] .. ':' .. now, 1, 'NX', 'PX', ARGV[4])
if leased and leased.err then
    redis.call('DEL', ARGV[5])
    leased = not reply
end
return {now, reply, life, leased and 1 or 0, microseconds()}
"""
)

# KEYS: generations. ARGV: key of the reply and of its lease, the reply's stamp, the reply, when it ends in milliseconds
# of the server's clock: a server that comes to it late must not make it live the longer. Keeps the reply only if its
# stamp still stands and its end is still to come; returns whether it did. The lease goes last: Redis lets a script that
# has written go beyond its memory.
FILL = (
    _GENERATIONS
    + """
local now = stamp()
if now ~= ARGV[3] or tonumber(microseconds()) >= tonumber(ARGV[5]) * 1000 then
    redis.call('DEL', ARGV[2] .. ':' .. ARGV[3])
    return {0}
end
local kept = redis.pcall('SET', ARGV[1] .. ':' .. now, ARGV[4], 'PXAT', ARGV[5])
redis.call('DEL', ARGV[2] .. ':' .. ARGV[3])
return kept.err and kept or {1}
"""
)

# Keeps a reply under whatever stands, as if it had been read just now: for control runs.
UNCHECKED_FILL = FILL.replace("now ~= ARGV[3] or ", "")

# KEYS: generations. Raises them and returns what they are now. A server that is full and may evict nothing does not
# count up any more, but it deletes, and a generation that is missing starts anew, above all that were.
RAISE = (
    _GENERATIONS
    + """
local function raise(key)
    generation(key)
    return redis.call('INCR', key)
end
local values = {}
for index, key in ipairs(KEYS) do
    local is_raised, value = pcall(raise, key)
    if not is_raised then
        redis.call('DEL', key)
        value = tonumber(microseconds())
    end
    values[index] = value
end
return values
"""
)
