//! Identities of the loop's records; each a type of its own over UUIDv7.

use jobs::identity;

identity!(/** A laboratory's project: roles are granted on it. */ ProjectId);
identity!(/** A series of rounds towards one goal. */ CampaignId);
identity!(/** One turn of the loop. */ RoundId);
identity!(/** What one round asks for, in one generation. */ BatchId);
identity!(/** One experiment in a batch. */ ProposalId);
identity!(/** One assay plate, in one generation. */ PlateId);
identity!(/** One trained model. */ ModelVersionId);
identity!(/** What came of one proposal on one plate. */ ObservationId);
identity!(/** Whoever acts. */ ActorId);
identity!(/** A bearer token (its name, not its secret). */ TokenId);
identity!(/** A browser that is signed in. */ SessionId);
identity!(/** Something that waits for a person. */ TaskId);
identity!(/** A blob on its way, in parts. */ UploadId);
identity!(/** Something that people are told. */ NotificationId);
identity!(/** A way out to people: webhook, Slack, mailbox. */ ChannelId);
identity!(/** One telling to one channel; what receivers know it by. */ DeliveryId);
identity!(/** One tick of a campaign's calendar. */ TickId);
identity!(/** A stretch of time in which no round may begin. */ BlackoutId);

/// The actor that stands for the service itself (first migration).
pub const SYSTEM: ActorId = ActorId(uuid::Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001));

/// The project every installation begins with (third migration).
pub const DEFAULT_PROJECT: ProjectId =
    ProjectId(uuid::Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0002));
