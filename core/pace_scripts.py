"""The pace's arithmetic as it runs inside Redis: what core/domain/pacing.py says, on the server's clock, in µs."""

# A lane is a hash: next (when the next slot is free), interval (so long at least after the last slot reserved), factor,
# change, hold (until when), holds (how many in a row).
_HEAD = """
local function clock()
    local time = redis.call('TIME')
    return time[1] * 1000000 + time[2]
end

local function read(key)
    local values = redis.call('HMGET', key, 'next', 'factor', 'change', 'hold', 'holds', 'interval')
    return {
        next = tonumber(values[1]) or 0, factor = tonumber(values[2]) or 1, change = tonumber(values[3]) or 0,
        hold = tonumber(values[4]) or 0, holds = tonumber(values[5]) or 0, interval = tonumber(values[6]) or 0,
    }
end

local function whole(number)
    return string.format('%.0f', number)
end

local function write(key, lane)
    redis.call('HSET', key, 'next', whole(lane.next), 'factor', tostring(lane.factor), 'change', whole(lane.change),
        'hold', whole(lane.hold), 'holds', whole(lane.holds), 'interval', tostring(lane.interval))
    -- Forgotten once nothing depends on it: who was slowed is as fast as before within a quarter of an hour.
    local milliseconds = (math.max(lane.hold, lane.next) - clock()) / 1000 + 1000
    redis.call('PEXPIRE', key, whole(math.min(math.max(900000, milliseconds), 1e12)))
end

local function recover(lane, now)
    if lane.factor >= 1 then return end
    local steps = math.floor((now - lane.change) / 10000000)
    if steps < 1 then return end
    lane.factor = math.min(1, lane.factor + steps * 0.1)
    lane.change = lane.change + steps * 10000000
    lane.holds = 0
end
"""

# KEYS lane; ARGV messages per second, how many, horizon in µs.
# Returns how many, µs until the first, µs between two, when the row of them ends, µs to wait when there is none.
RESERVE = (
    _HEAD
    + """
local now, lane = clock(), read(KEYS[1])
local horizon = tonumber(ARGV[3])
recover(lane, now)
local interval = 1000000 / (tonumber(ARGV[1]) * lane.factor)
if lane.hold > now then return {0, 0, whole(interval), '0', whole(lane.hold - now)} end
-- A pace that was raised holds from the last slot on.
local start = math.max(now, lane.next - math.max(0, lane.interval - interval))
local granted = 0
if start <= now + horizon then
    granted = math.min(tonumber(ARGV[2]), math.floor((now + horizon - start) / interval) + 1)
end
if granted < 1 then return {0, 0, whole(interval), '0', whole(math.max(1000, start - now - horizon))} end
lane.next, lane.interval = math.ceil(start + granted * interval), interval
write(KEYS[1], lane)
return {granted, whole(start - now), tostring(interval), whole(lane.next), '0'}
"""
)

# KEYS lane; ARGV the row's end, how many are unused, µs between two. Gives back only what is still the newest row.
RETURN = (
    _HEAD
    + """
local lane = read(KEYS[1])
if lane.next ~= tonumber(ARGV[1]) then return 0 end
lane.next = math.ceil(lane.next - tonumber(ARGV[2]) * tonumber(ARGV[3]))
-- Of the last one left it is not known: a pace that is raised next begins at the next slot.
lane.interval = 0
write(KEYS[1], lane)
return 1
"""
)

# KEYS lane. Halves its pace and holds it, longer each time; what comes within a second of the last counts once, and a
# hold that lasts longer goes on.
THROTTLE = (
    _HEAD
    + """
local now, lane = clock(), read(KEYS[1])
if now - lane.change < 1000000 then return 0 end
recover(lane, now)
lane.factor = math.max(0.05, lane.factor * 0.5)
lane.hold = math.max(lane.hold, now + math.min(60000000, 1000000 * 2 ^ lane.holds))
lane.holds = lane.holds + 1
lane.change = lane.hold
write(KEYS[1], lane)
return 1
"""
)

# KEYS lane; ARGV for how many µs. Holds it for so long at least, and leaves its pace as it is.
HOLD = (
    _HEAD
    + """
local lane = read(KEYS[1])
lane.hold = math.max(lane.hold, clock() + tonumber(ARGV[1]))
write(KEYS[1], lane)
return 1
"""
)

# KEYS lane. Returns 1 while it is held, or slower than it could be, because WhatsApp said that it was too fast.
SLOWED = (
    _HEAD
    + """
local now, lane = clock(), read(KEYS[1])
recover(lane, now)
if lane.hold > now or lane.factor < 1 then return 1 end
return 0
"""
)

# KEYS one per (sender, contact); ARGV µs a message costs, how many may come at once.
# Returns for each the ms it has to wait, one of a pair behind the other; a pair with 0 is charged.
PAIRS = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local waits, waiting = {}, {}
for index, key in ipairs(KEYS) do
    local free = math.max(tonumber(redis.call('GET', key)) or 0, now)
    local before = waiting[key] or 0
    local ahead = free - now + (before + 1 - burst) * cost
    if ahead > 0 then
        waits[index] = math.ceil(ahead / 1000)
        waiting[key] = before + 1
    else
        waits[index] = 0
        free = free + cost
        redis.call('SET', key, string.format('%.0f', free), 'PX', math.ceil((free - now) / 1000))
    end
end
return waits
"""
