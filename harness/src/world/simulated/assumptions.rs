//! What the model assumes, in the words that are printed with every distribution.

/// What the model assumes. Where the real system differs, so do its numbers.
pub const ASSUMPTIONS: &[&str] = &[
    "Requests go from client to balancer to application, and through the balancer again to the database. Each writes \
     once. The balancer tries a replica that does not listen for 200 ms, then one other; the application answers \
     `refused` at once where no server is in rotation as writable. A request that has not committed when its client \
     gives up never commits.",
    "The balancer checks every 200 ms, and every 100 ms after a failure; two failures take a target out, one success \
     puts it back. If two servers claim to be writable, requests alternate between them.",
    "Commits are durable on their server at one instant, and weigh 2 to 6 kB. A primary waits for the first attached \
     one of its synchronous standbys: a paused or partitioned standby stays attached, a dead one does not. A commit that \
     waits and is never confirmed stays, and whether it survives depends on which server does.",
    "Replication sends one commit after the other, in 1 to 4 ms and as fast as the link. What has not arrived when \
     either end or the way between them goes is lost to that attempt, and sent again when the link is back.",
    "A former primary that restarts and finds another writable server starts fenced, as the database image does. One \
     that was merely partitioned or paused asks nobody: unless it was fenced, it takes writes.",
    "Partitions drop what arrives at one node from another. Sessions hang, and go on within 100 ms of the repair. Clients, \
     commands and questions of the harness come by ways that no partition touches.",
    "A backup repository gets the log up to the last full archive interval; a writer that is killed leaves the rest behind, one that \
     is taken down for a restore sends it first. Backups take 1.5 to 3 s, restores 2.5 to 8 s, and neither slows anyone \
     down. A server has the whole of a bad change, or nothing of it.",
    "Disks lose nothing but what a drill takes from them, nobody runs out of anything, and whoever is ready serves at full \
     speed.",
    "A secondary environment has nodes and times like those of the primary one, and what a snapshot carried there. Clients \
     are sent from one to the other at one instant.",
    "How long everything takes is drawn evenly from ranges that resemble one machine; tails are cut off.",
];
