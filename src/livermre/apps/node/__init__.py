"""`livermre node`: a quiet member of the hospital's DICOM network that never loses a study.

Data flow one way: receive (or poll) -> journal -> worker -> sender. Each step asks only the journal what to do next, so
that a kill at any moment is safe. Needs the extra [node] (pynetdicom).
"""
